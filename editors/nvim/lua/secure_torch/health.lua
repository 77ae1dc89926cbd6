-- :checkhealth secure_torch
local M = {}

-- The functions have had two sets of names and the module two places.
local health = vim.health or require("health")
local start = health.start or health.report_start
local ok = health.ok or health.report_ok
local warn = health.warn or health.report_warn
local fail = health.error or health.report_error
local info = health.info or health.report_info

local function run(args)
  local lines = vim.fn.systemlist(args)
  return vim.v.shell_error, lines
end

local function clients()
  local get = vim.lsp.get_clients or vim.lsp.get_active_clients
  return vim.tbl_filter(function(client)
    return client.name == "secure_torch"
  end, get())
end

function M.check()
  start("secure-torch: server")
  local cmd, from = require("secure_torch").command()
  if vim.fn.executable(cmd[1]) ~= 1 then
    fail("cannot execute " .. cmd[1], {
      "`pip install .` in a clone of the repository, with the environment you activate",
      "or set cmd in setup()",
    })
    return
  end
  ok(cmd[1] .. " (from " .. from .. ")")
  local status, lines = run({ cmd[1], "version" })
  if status ~= 0 then
    fail("version: exit " .. status, lines)
    return
  end
  if not (lines[1] or ""):match("^secure%-torch %S+ %w+/%w+ go") then
    fail("another program of this name: it says " .. vim.inspect(lines[1] or ""), {
      "`secure-torch` on PyPI is another author's package",
      "set cmd in setup(), or put the right program first in $PATH",
    })
    return
  end
  ok(lines[1])

  start("secure-torch: sandbox")
  status, lines = run({ cmd[1], "doctor" })
  for _, line in ipairs(lines) do
    info(line)
  end
  if status ~= 0 then
    warn("doctor: exit " .. status, { "models cannot be scanned, or with less confinement; see above" })
  end

  start("secure-torch: clients")
  local running = clients()
  if #running == 0 then
    info("none; one is started for each Python project")
  end
  for _, client in ipairs(running) do
    ok(("client %d, root %s"):format(client.id, client.config.root_dir or "none"))
  end
end

return M
