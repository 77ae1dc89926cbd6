-- What lazy.nvim makes of packaging/lazy.lua: after `build` and `config` the command and the help are there.
local function check()
  local plugin = { dir = vim.env.HOME .. "/a clone" }
  vim.fn.mkdir(plugin.dir .. "/editors", "p")
  vim.fn.system({ "cp", "-R", vim.env.ST_PLUGIN, plugin.dir .. "/editors/nvim" })
  local spec = dofile(plugin.dir .. "/editors/nvim/packaging/lazy.lua")
  assert(spec.cmd == "SecureTorch" and spec.ft == "python", "what it is loaded for")
  spec.build(plugin)
  assert(vim.fn.exists(":SecureTorch") == 0, "the command came too early")
  spec.config(plugin)
  assert(vim.fn.exists(":" .. spec.cmd) == 2, "no command")
  local tags = vim.fn.getcompletion("secure_torch-trust", "help")
  assert(tags[1] == "secure_torch-trust", "no help")
  assert(vim.lsp.config == nil or vim.lsp.config.secure_torch, "no server")
end

local ok, problem = pcall(check)
print(ok and "all good" or problem)
vim.cmd(ok and "qall!" or "cquit")
