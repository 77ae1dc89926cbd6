import torch

torch.load("a.pt")  # secure-torch: ignore[ST101] made by our own job
torch.load("a.pt")  # secure-torch: ignore[ST102]  # @diag(ST101) @diag(ST191)
torch.load("a.pt")  # secure-torch: ignore[torch-load-unguarded]  # @diag(ST191)
torch.load("a.pt")  # secure-torch: ignore[ST110, ST101]  # @diag(ST191)
torch.load("a.pt")  # secure-torch:ignore[ST101]  # @diag(ST191)
torch.load("a.pt")  # secure-torch: ignore  @diag(ST101)
torch.load("a.pt")  # noqa: S301  # secure-torch: ignore[ST101]  # @diag(ST191)
x = "# secure-torch: ignore[ST101]"; torch.load("a.pt")  # @diag(ST101)
# secure-torch: ignore[ST101]  # @diag(ST191)
torch.load("a.pt")  # @diag(ST101)
