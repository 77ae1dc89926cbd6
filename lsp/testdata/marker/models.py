import os
import torch
from pathlib import Path

HERE = Path(__file__).parent
NAME = "evil.pt"

torch.load("evil.pt", weights_only=True)  # @diag(ST201)
torch.load(NAME, weights_only=True)  # @diag(ST201)
torch.load(HERE / "evil.pt", weights_only=True)  # @diag(ST201)
torch.load(HERE / NAME, weights_only=True)  # @diag(ST201)
torch.load(os.path.join("sub", "evil.pt"), weights_only=True)  # @diag(ST201)
torch.load(os.path.join(os.path.dirname(__file__), NAME), weights_only=True)  # @diag(ST201)
torch.load(f"{NAME}", weights_only=True)  # @diag(ST201)
torch.load("./evil.pt", weights_only=True)  # @diag(ST201)
torch.load("sub/../evil.pt", weights_only=True)  # @diag(ST201)
torch.load("good.pt", weights_only=True)
torch.load("evil.pt")  # @diag(ST101) @diag(ST201)


def restore(path="evil.pt"):
    return torch.load(path, weights_only=True)  # @diag(ST201)


with open("evil.pt", "rb") as f:
    torch.load(f, weights_only=True)  # @diag(ST201)


class Trainer:
    def __init__(self):
        self.path = "evil.pt"

    def load(self):
        return torch.load(self.path, weights_only=True)  # @diag(ST201)
