# The vendor's two cURL examples, unchanged but for the URL.
set -euo pipefail

# --- the vendor's example, from here
curl -X POST SIDECAR/rest/v1/auth/token \
-H "Content-Type: application/json" \
-d '{
"keyId": "pk_your_key_id",
"keySecret": "sk_your_secret_key",
"userId": "user_123",
"agentId": "agent_abc",
"expiresIn": "1h"
}'
# --- to here
echo
# --- the vendor's example, from here
curl -X POST SIDECAR/rest/v1/auth/token \
-H "Content-Type: application/json" \
-d '{
"keyId": "pk_your_key_id",
"keySecret": "sk_your_secret_key",
"userId": "user_123",
"agentId": "agent_abc",
"expiresIn": "7d"
}'
# --- to here
