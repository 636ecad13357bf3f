"""The commands of the first booking in what `tminus reserve --format json` prints on stdin."""

import json
import sys

print(json.load(sys.stdin)["bookings"][0]["in_words"]["commands"])
