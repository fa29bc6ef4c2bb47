#!/bin/sh
# The whole loop with curl alone, against a service that was started by `reply-to-verify develop` (in a checkout: npm start).
# Usage: curl.sh [PAGES] [TEST MAILBOX] [PERSON], by default http://127.0.0.1:3000, http://127.0.0.1:8025 and Amy
set -eu
pages=${1:-http://127.0.0.1:3000}
mailbox=${2:-http://127.0.0.1:8025}
person=${3:-amy.pond@school.example}

cookies=$(mktemp)
trap 'rm -f "$cookies"' EXIT
ask() { curl --silent --show-error --fail --cookie "$cookies" --cookie-jar "$cookies" "$@"; }
# The first thing between two texts, and whether there is such a text at all.
between() { sed -n "s/.*$1\([^\"?]*\)$2.*/\1/p" | head -n 1; }
has() { grep --fixed-strings "$1" > /dev/null || { echo "no $1 in the answer" >&2; exit 1; }; }

# 1. The page: a one-time address, a label, and a nonce that stays in the form.
page=$(ask "$pages/reset")
nonce=$(echo "$page" | between 'name="nonce" value="' '"')
address=$(echo "$page" | between 'href="mailto:' '?')
label=$(echo "$page" | grep -o '[B-Z]\{4\}-[B-Z]\{4\}' | head -n 1)

# 2. The person writes to that address, signed as the mail server of her school does it.
ask --json "{\"from\":\"$person\",\"to\":\"$address\",\"subject\":\"$label\"}" "$mailbox/api/sent" | has '"accepted":true'

# 3. The answer, as soon as it is there, has a code.
code=$(ask "$mailbox/api/messages/wait?to=$person&label=$label&timeoutMs=5000" | between '"code":"' '"')

# 4. The code goes into the form of the page that is still open.
ask --location --data-urlencode "nonce=$nonce" --data-urlencode "code=$code" "$pages/reset" | has "$person"
echo "$person is at the other end of $label."
