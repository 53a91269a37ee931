# The guide's sample for Ruby, unchanged, with what it takes for granted around it.
# ARGV[0]: the user as JSON. The answer is printed as one line of JSON.
#
# The controller is a real one of Rails, called as a Rack endpoint: no routes and no server.

Encoding.default_external = Encoding::UTF_8 # as a Rails application has it, whatever LANG says

require 'action_controller'
require 'httparty'
require 'json'

User = Struct.new(:id, :name, :email, :department, :avatar, keyword_init: true) do
  alias_method :avatar_url, :avatar
end

class ApplicationController < ActionController::Base
  attr_reader :current_user

  def authenticate_user!
    @current_user = User.new(**JSON.parse(ARGV[0], symbolize_names: true))
  end
end

# --- the guide's sample, from here
class ChatTokensController < ApplicationController
  before_action :authenticate_user!

  def create
    # Generate ChatSDK token for current user
    response = HTTParty.post(
      "#{ENV['CHATSDK_API_URL']}/tokens",
      headers: {
        'X-API-Key' => ENV['CHATSDK_API_KEY'],
        'Content-Type' => 'application/json'
      },
      body: {
        userId: current_user.id,
        name: current_user.name,
        image: current_user.avatar_url,
        custom: {
          email: current_user.email,
          department: current_user.department
        }
      }.to_json
    )

    render json: response.body
  end
end
# --- to here

request = Rack::MockRequest.env_for('/api/auth/chat-token', method: 'POST')
_status, _headers, body = ChatTokensController.action(:create).call(request)
body.each { |part| puts part }
