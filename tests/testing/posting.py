"""Requests to a scripted server by the standard library's own HTTP client."""

import json
import urllib.error
import urllib.request


def post(url, body):
    """Status and JSON of an answer."""
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), {"X-Mine": "yes"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())
