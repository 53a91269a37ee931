# The vendor's example for Ruby, unchanged but for the URL. It speaks TLS, so a TLS end stands
# before the sidecar. Prints the token as JSON.

# --- the vendor's example, from here
require 'net/http'
require 'json'
class ChatTokenService
PERFORMCHAT_API_URL = 'SIDECAR_TLS/rest/v1/auth/token'
def self.generate_token(user_id, agent_id = nil)
uri = URI(PERFORMCHAT_API_URL)
request = Net::HTTP::Post.new(uri)
request['Content-Type'] = 'application/json'
request.body = {
keyId: ENV['PERFORMCHAT_KEY_ID'],
keySecret: ENV['PERFORMCHAT_KEY_SECRET'],
userId: user_id,
agentId: agent_id
}.compact.to_json
response = Net::HTTP.start(uri.hostname, uri.port, use_ssl: true) do |http|
http.request(request)
end
if response.is_a?(Net::HTTPSuccess)
JSON.parse(response.body)['token']
else
raise "Failed to generate token: #{response.code}"
end
end
end
# --- to here

puts({ token: ChatTokenService.generate_token('user_123') }.to_json)
