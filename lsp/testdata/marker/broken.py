import torch
x = torch.load("a.pt")  # @diag(ST101)
def f(:
    y = torch.load("b.pt")  # @diag(ST101)
z = (torch.load("c.pt"))  # @diag(ST101)
class  # @diag(ST199)
w = 1

v = torch.load("e.pt")  # @diag(ST101)
