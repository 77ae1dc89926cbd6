"""Names mean what Python says they mean where they stand."""
import torch
import pickle as pk
from pickle import *


def load(path):
    return open(path).read()


load("a.txt")


def outer(torch):
    torch.load("a.pt")  # somebody else's torch


def inner():
    import torch as tt

    tt.load("a.pt")  # @diag(ST101)
    def deeper():
        return tt.load("b.pt")  # @diag(ST101)
    return deeper


class Trainer:
    path = "c.pt"

    def restore(self):
        return torch.load(self.path)  # @diag(ST101)

    async def later(self):
        async with x as y:
            return torch.load("d.pt")  # @diag(ST101)

    @property
    def model(self):
        return pk.load(self.f)  # @diag(ST102)


with open("e.pkl", "rb") as f:
    pk.load(f)  # @diag(ST102)

try:
    torch.load("f.pt")  # @diag(ST101)
except Exception:
    torch.load("g.pt")  # @diag(ST101)
finally:
    torch.load("h.pt")  # @diag(ST101)

if torch.load("i.pt"):  # @diag(ST101)
    pass
elif torch.load("j.pt"):  # @diag(ST101)
    pass

while torch.load("k.pt"):  # @diag(ST101)
    break

for x in torch.load("l.pt"):  # @diag(ST101)
    pass

assert torch.load("m.pt")  # @diag(ST101)
x = torch.load("n.pt") if x else torch.load("o.pt")  # @diag(ST101)
x = (y := torch.load("p.pt"))  # @diag(ST101)
x = f"{torch.load('q.pt')}"  # @diag(ST101)
x = torch.load("r.pt")["state"].items()  # @diag(ST101)
del torch


def elsewhere():
    import torch

    @decorate(torch.load("s.pt"))  # @diag(ST101)
    def g(a=torch.load("t.pt"), *, b=lambda: torch.load("u.pt")):  # @diag(ST101)
        yield torch.load("v.pt")  # @diag(ST101)
        return (await torch.load("w.pt"), *torch.load("x.pt"))  # @diag(ST101)

    match torch.load("y.pt"):  # @diag(ST101)
        case {"a": 1} if torch.load("z.pt"):  # @diag(ST101)
            raise ValueError(torch.load("aa.pt"))  # @diag(ST101)
    return torch.load(  # @diag(ST101)
        "bb.pt",
    ) and not torch.load("cc.pt")  # @diag(ST101)
