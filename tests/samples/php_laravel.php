<?php // --- the guide's sample, from here; ahead of all else, as PHP wants of a namespace ?>
<?php

namespace App\Http\Controllers;

use Illuminate\Http\Request;
use Illuminate\Support\Facades\Http;

class ChatTokenController extends Controller
{
    public function generate(Request $request)
    {
        $user = $request->user(); // Authenticated user

        $response = Http::withHeaders([
            'X-API-Key' => env('CHATSDK_API_KEY'),
            'Content-Type' => 'application/json'
        ])->post(env('CHATSDK_API_URL') . '/tokens', [
            'userId' => $user->id,
            'name' => $user->name,
            'image' => $user->avatar_url,
            'custom' => [
                'email' => $user->email,
                'department' => $user->department
            ]
        ]);

        return $response->json();
    }
}
// --- to here

// The guide's sample for PHP is above, unchanged; here is what it takes for granted.
// $argv[1]: the user as JSON. The answer is printed as one line of JSON.
//
// The client, the request and env() are Laravel's own, from Debian's packages of Illuminate.
// The base class is the application's; a new Laravel application's is as empty.

abstract class Controller
{
}

require 'Illuminate/Http/autoload.php';
require 'GuzzleHttp/autoload.php'; // the line above looks for it under a wrong name
require 'Dotenv/autoload.php'; // env() reads through it

use Illuminate\Http\Client\Factory;
use Illuminate\Http\JsonResponse;
use Illuminate\Support\Fluent;

Http::swap(new Factory()); // which the application's container would do

$login = json_decode($argv[1], true);
$login['avatar_url'] = $login['avatar'] ?? null;
$request = Request::create('/api/auth/chat-token', 'POST');
// Like a model of the database, a Fluent has its columns as attributes.
$request->setUserResolver(fn () => new Fluent($login));

$answer = (new ChatTokenController())->generate($request);
echo (new JsonResponse($answer))->getContent(), "\n"; // the router makes an array into this
