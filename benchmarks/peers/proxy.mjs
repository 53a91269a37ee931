// Fastify with @fastify/reply-from and credentials put in: kept connections on both sides, one line
// of the log for each call.
import Fastify from "fastify";
import replyFrom from "@fastify/reply-from";

const { KEY, PORT, TOKEN, UPSTREAM } = process.env;
const fastify = Fastify({ bodyLimit: 2 ** 31, disableRequestLogging: true, logger: true });

fastify.register(replyFrom, {
  base: UPSTREAM,
  disableRequestLogging: true,
  undici: { connections: 100, pipelining: 1 },
});

// Bodies are passed on as they come.
fastify.removeAllContentTypeParsers();
fastify.addContentTypeParser("*", (request, payload, done) => done(null, payload));

fastify.addHook("onResponse", (request, reply, done) => {
  request.log.info({ req: request, res: reply, responseTime: reply.elapsedTime }, "request completed");
  done();
});

const options = {
  queryString: (search) => `api_key=${KEY}${search ? `&${search.slice(1)}` : ""}`,
  rewriteRequestHeaders: (request, headers) => ({
    ...headers,
    authorization: TOKEN,
    "stream-auth-type": "jwt",
  }),
};

fastify.all("/proxy/*", (request, reply) => reply.from(`/${request.params["*"]}`, options));

fastify.listen({ host: "127.0.0.1", port: Number(PORT) });
