"""Says what PyPI's huggingface_hub makes of each environment of a list in JSON: where its cache and token are, and the like."""

import importlib
import json
import os
import sys

from huggingface_hub import constants, get_token

answers = []
usual = dict(os.environ)
for env in json.loads(sys.argv[1]):
    os.environ.clear()
    os.environ.update(usual)
    os.environ.update(pair.split("=", 1) for pair in env)
    c = importlib.reload(constants)
    offline = "true" if c.HF_HUB_OFFLINE else "false"
    answers.append(f"cache {c.HF_HUB_CACHE}, token in {c.HF_TOKEN_PATH}, offline {offline}, token {get_token() or '-'}, {c.ENDPOINT}")
print(json.dumps(answers))
