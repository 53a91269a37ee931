<?php
// The vendor's way to make a token, and to check one: `make KEY USER SECONDS`, `check KEY TOKEN`.

function encoded($text) {
    return rtrim(strtr(base64_encode($text), '+/', '-_'), '=');
}

[, $what, $key, $given] = $argv;

if ($what === 'make') {
    $head = json_encode(['typ' => 'JWT', 'alg' => 'HS256']);
    $claims = json_encode(['exp' => (int) date('U') + (int) $argv[4], 'user_id' => (int) $given]);
    $signed = encoded($head) . '.' . encoded($claims);
    echo $signed . '.' . encoded(hash_hmac('sha256', $signed, $key, true));
} else {
    [$head, $claims, $signature] = explode('.', $given);
    $right = encoded(hash_hmac('sha256', "$head.$claims", $key, true));
    echo hash_equals($right, $signature) ? base64_decode(strtr($claims, '-_', '+/')) : 'forged';
}
