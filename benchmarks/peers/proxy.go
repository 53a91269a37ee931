// Go's httputil.ReverseProxy with credentials put in: kept connections on both sides, one line on
// standard output for each call.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"time"
)

type counted struct {
	http.ResponseWriter
	status int
}

func (answer *counted) WriteHeader(status int) {
	answer.status = status
	answer.ResponseWriter.WriteHeader(status)
}

// Unwrap and Flush keep what the server's own writer can do.
func (answer *counted) Unwrap() http.ResponseWriter { return answer.ResponseWriter }

func (answer *counted) Flush() { answer.ResponseWriter.(http.Flusher).Flush() }

func main() {
	upstream, err := url.Parse(os.Getenv("UPSTREAM"))
	if err != nil {
		log.Fatal(err)
	}

	proxy := &httputil.ReverseProxy{
		Director: func(request *http.Request) {
			request.URL.Scheme = upstream.Scheme
			request.URL.Host = upstream.Host
			request.Host = upstream.Host
			request.URL.Path = strings.TrimPrefix(request.URL.Path, "/proxy")
			query := "api_key=" + os.Getenv("KEY")
			if request.URL.RawQuery != "" {
				query += "&" + request.URL.RawQuery
			}
			request.URL.RawQuery = query
			request.Header.Set("Authorization", os.Getenv("TOKEN"))
			request.Header.Set("Stream-Auth-Type", "jwt")
		},
		// By default only two connections to a host are kept.
		Transport: &http.Transport{
			MaxIdleConns:        100,
			MaxIdleConnsPerHost: 100,
			DisableCompression:  true,
		},
	}
	lines := log.New(os.Stdout, "", log.LstdFlags|log.Lmicroseconds)

	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		started := time.Now()
		method, path := request.Method, request.URL.Path
		answer := &counted{writer, http.StatusOK}
		proxy.ServeHTTP(answer, request)
		lines.Printf("%s %s %s %d %s", request.RemoteAddr, method, path, answer.status, time.Since(started))
	})

	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), handler))
}
