<?php // --- the vendor's example, from here ?>
<?php
namespace App\Services;
use Illuminate\Support\Facades\Http;
class ChatTokenService
{
private const API_URL = 'SIDECAR/rest/v1/auth/token';
public static function generateToken(string $userId, ?string $agentId = null): string
{
$payload = [
'keyId' => env('PERFORMCHAT_KEY_ID'),
'keySecret' => env('PERFORMCHAT_KEY_SECRET'),
'userId' => $userId,
];
if ($agentId) {
$payload['agentId'] = $agentId;
}
$response = Http::post(self::API_URL, $payload);
if ($response->failed()) {
throw new \Exception('Failed to generate token');
}
return $response->json()['token'];
}
}
// --- to here

// The vendor's example is above, unchanged but for the URL; here is what it takes for granted.
require 'Illuminate/Http/autoload.php';
require 'GuzzleHttp/autoload.php'; // the line above looks for it under a wrong name
require 'Dotenv/autoload.php'; // env() reads through it

use Illuminate\Http\Client\Factory;

Http::swap(new Factory()); // which the application's container would do

echo json_encode(['token' => ChatTokenService::generateToken('user_123')]), "\n";
