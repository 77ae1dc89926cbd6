"""Uses the fake hub at HF_ENDPOINT as PyPI's huggingface_hub does. The first argument is the real commit of org/model."""

import os
import sys

from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

commit, cache = sys.argv[1], os.environ["HF_HUB_CACHE"]
api = HfApi()

info = api.model_info("org/model", files_metadata=True, securityStatus=True)
assert info.sha == commit, info
assert {s.rfilename for s in info.siblings} == {"config.json", "pytorch_model.bin", "sub/model.bin"}, info
assert [s.lfs.sha256 for s in info.siblings if s.lfs], info
assert info.security_repo_status["scansDone"] is True, info

tree = list(api.list_repo_tree("org/many", recursive=True))
assert len(tree) == 120, len(tree)
assert {f.path for f in api.list_repo_tree("org/model")} == {"config.json", "pytorch_model.bin", "sub"}
(paths,) = api.get_paths_info("org/model", ["pytorch_model.bin"], expand=True)
assert paths.security.status == "unsafe", paths

path = hf_hub_download("org/model", "pytorch_model.bin")
assert os.path.islink(path) and os.path.getsize(path) == 1 << 20, path
folder = snapshot_download("org/model")
assert sorted(os.listdir(folder)) == ["config.json", "pytorch_model.bin", "sub"], folder
assert folder.endswith(commit), folder
snapshot_download("org/data", repo_type="dataset")

fs = HfFileSystem()
with fs.open("org/model/pytorch_model.bin", "rb", block_size=1 << 16) as f:
    f.seek(500_000)
    middle = f.read(1000)
with open(path, "rb") as f:
    f.seek(500_000)
    assert f.read(1000) == middle


def raises(error, call):
    try:
        call()
    except error as e:
        assert type(e) is error, e
    else:
        raise AssertionError(error)


raises(RepositoryNotFoundError, lambda: api.model_info("org/missing"))
raises(RevisionNotFoundError, lambda: api.model_info("org/model", revision="v9"))
raises(GatedRepoError, lambda: hf_hub_download("org/gated", "m.bin"))
try:
    hf_hub_download("org/model", "missing.bin")
except EntryNotFoundError as e:
    assert e.response.headers["X-Error-Code"] == "EntryNotFound", e
assert os.path.exists(hf_hub_download("org/gated", "m.bin", token="hf_secret"))
assert os.path.exists(hf_hub_download("org/flaky", "m.bin")), "429, then an answer"
