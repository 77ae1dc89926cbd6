"""zipfolder.py FOLDER ZIP: a folder as a zip of its name, the same bytes each time: sorted, dated SOURCE_DATE_EPOCH."""

import os
import sys
import time
import zipfile

folder, target = sys.argv[1].rstrip("/"), sys.argv[2]
date = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        entry = zipfile.ZipInfo(os.path.basename(folder) + "/" + name, date)
        entry.external_attr = os.stat(path).st_mode << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        with open(path, "rb") as f:
            made.writestr(entry, f.read())
