-- What the plugin decides by itself: where the program comes from, what the root is, what is trusted.
vim.opt.runtimepath:append(vim.env.ST_PLUGIN)

local function check()
  local st = require("secure_torch")
  local home = vim.env.HOME
  vim.fn.mkdir(home .. "/project/src/deep", "p")
  vim.fn.writefile({}, home .. "/project/pyproject.toml")
  vim.fn.mkdir(home .. "/venv/bin", "p")
  vim.fn.writefile({ "#!/bin/sh" }, home .. "/venv/bin/secure-torch")
  vim.fn.setfperm(home .. "/venv/bin/secure-torch", "rwx------")

  assert(st.root(home .. "/project/src/deep/a.py") == home .. "/project", "root by a marker")
  assert(st.root(home .. "/venv/a.py"):find("^" .. vim.pesc(home) .. "/venv"), "root without one")

  vim.env.VIRTUAL_ENV = nil
  vim.env.PATH = "/nonexistent"
  vim.fn.chdir(home .. "/venv/bin") -- a program in the current folder is not taken
  local cmd, from = st.command()
  assert(cmd[1] == "secure-torch" and from == "PATH", "PATH")
  vim.env.VIRTUAL_ENV = home .. "/venv"
  cmd, from = st.command()
  assert(cmd[1] == home .. "/venv/bin/secure-torch" and cmd[2] == "lsp" and from == "VIRTUAL_ENV", "VIRTUAL_ENV")

  assert(not st.is_trusted(home .. "/project"), "nothing is trusted by default")
  st.setup({ trusted = { home .. "/proj" }, filetypes = { "none" } })
  assert(not st.is_trusted(home .. "/project"), "a prefix of a name is no parent")
  st.setup({ trusted = { home .. "/project/" }, filetypes = { "none" } })
  assert(st.is_trusted(home .. "/project") and st.is_trusted(home .. "/project/src"), "listed")
  assert(not st.is_trusted(home), "the parent of a listed folder")
  assert(st.config(home .. "/project").init_options.trusted == true)
  assert(st.config(home).init_options.trusted == false)

  vim.cmd("checkhealth secure_torch")
  local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
  assert(text:find("venv/bin/secure%-torch"), text)
  assert(text:find("another program of this name"), text) -- it prints no version
  local help = vim.fn.readfile(vim.env.ST_PLUGIN .. "/doc/secure_torch.txt")
  local tags = {}
  for _, line in ipairs(help) do
    for tag in line:gmatch("%*(secure_torch[%w%-_.()]*)%*") do
      tags[tag] = true
    end
  end
  for _, line in ipairs(help) do
    for link in line:gmatch("|(secure_torch[%w%-_.()]*)|") do
      assert(tags[link], "no tag " .. link)
    end
  end
end

local good, problem = xpcall(check, debug.traceback)
io.stdout:write(good and "all good\n" or problem .. "\n")
vim.cmd(good and "qall!" or "cquit 1")
