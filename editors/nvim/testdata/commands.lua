-- :SecureTorch as a user types it, in a real Neovim with the real server and program.
vim.opt.runtimepath:append(vim.env.ST_PLUGIN)
vim.cmd("runtime plugin/secure_torch.lua")
vim.cmd("filetype on")
vim.cmd("syntax on")

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
end

local function wait(what, condition, also)
  local came = vim.wait(30000, condition, 20)
  assert(came, "never: " .. what .. "; " .. vim.inspect(also) .. " the buffer has:\n" .. vim.fn.bufname() .. "\n" .. text())
end

--- Runs a command that opens a window, waits for a text in it and closes it.
local function shows(command, want, filetype)
  local before = vim.api.nvim_get_current_win()
  pcall(vim.cmd, "SecureTorch " .. command) -- an ftplugin's error comes out here
  wait(command .. " shows " .. want, function()
    return vim.api.nvim_get_current_win() ~= before and text():find(want, 1, true)
  end)
  assert(vim.bo.filetype == filetype, "filetype " .. vim.bo.filetype)
  assert(not vim.bo.modifiable, command .. ": the buffer can be changed")
  local seen = text()
  vim.cmd("close")
  return seen
end

local notes = {}
vim.notify = function(note)
  table.insert(notes, note)
end

local function noted(want)
  wait("a note " .. want, function()
    return table.concat(notes, "\n"):find(want, 1, true)
  end, notes)
end

local function check()
  require("secure_torch").setup({ cmd = { vim.env.ST_BINARY, "lsp" } })
  local folder = vim.fn.fnamemodify(vim.env.ST_FILE, ":h")
  local models = folder .. "/models"

  shows("scan " .. models .. "/evil.pt", "NOT SAFE to load", "secure_torch")
  local listing = shows("inspect " .. models .. "/evil.pt", "REDUCE", "secure_torch")
  assert(listing:find("GLOBAL posix system", 1, true), listing)
  shows("convert " .. models .. "/evil.pt " .. folder .. "/no.safetensors", "evil.pt", "secure_torch")
  assert(vim.fn.filereadable(folder .. "/no.safetensors") == 0, "an unsafe model was converted")
  shows("doctor", "execve", "secure_torch")
  shows("scan -nosuchfile", "-nosuchfile", "secure_torch") -- a path, never an option

  vim.cmd("edit " .. vim.fn.fnameescape(vim.env.ST_FILE))
  wait("a diagnostic", function()
    for _, d in ipairs(vim.diagnostic.get(0)) do
      if d.code == "ST201" then
        vim.api.nvim_win_set_cursor(0, { d.lnum + 1, d.col })
        return true
      end
    end
  end)
  local report = shows("report", "posix.system", "markdown")
  assert(report:find("UNSAFE", 1, true), report)
  shows("report " .. models .. "/evil.pt", "posix.system", "markdown")
  vim.cmd("SecureTorch scan")
  noted("scanned 1 model")

  -- The server's own action opens the same buffer.
  vim.ui.select = function(items, _, choose)
    for i, item in ipairs(items) do
      local action = item[2] or item.action
      if action.title:find("Show the report", 1, true) then
        return choose(item, i)
      end
    end
  end
  local window = vim.api.nvim_get_current_win()
  vim.lsp.buf.code_action()
  wait("the report by an action", function()
    return vim.api.nvim_get_current_win() ~= window and text():find("posix.system", 1, true)
  end)
  vim.cmd("close")

  -- A reason is asked for, and stands in the comment.
  vim.ui.select = function(items, _, choose)
    for i, item in ipairs(items) do
      local action = item[2] or item.action
      if action.title:find("with a reason", 1, true) then
        return choose(item, i)
      end
    end
  end
  vim.ui.input = function(_, done)
    done("made by our own job")
  end
  vim.lsp.buf.code_action()
  wait("the comment", function()
    return text():find("# secure-torch: ignore[ST101] made by our own job", 1, true)
  end)

  -- Where an ftplugin of the user's fails, the text is there all the same.
  local own = vim.env.HOME .. "/own"
  vim.fn.mkdir(own .. "/ftplugin", "p")
  for _, filetype in ipairs({ "markdown", "secure_torch" }) do
    vim.fn.writefile({ "vim.g.failed = '" .. filetype .. "'", "error('a broken ftplugin')" }, own .. "/ftplugin/" .. filetype .. ".lua")
  end
  vim.opt.runtimepath:prepend(own)
  vim.cmd("filetype plugin on")
  shows("report " .. models .. "/evil.pt", "posix.system", "markdown")
  assert(vim.g.failed == "markdown", "its ftplugin was not run")
  shows("scan " .. models .. "/evil.pt", "NOT SAFE to load", "secure_torch")
  assert(vim.g.failed == "secure_torch", "its ftplugin was not run")
  vim.cmd("filetype plugin off")

  vim.cmd("SecureTorch nonsense")
  noted("known: convert, doctor, inspect, report, restart, scan")
  assert(vim.deep_equal(vim.fn.getcompletion("SecureTorch re", "cmdline"), { "report", "restart" }))

  local old = require("secure_torch.client").all()[1].id
  vim.cmd("SecureTorch restart")
  wait("another client", function()
    local new = require("secure_torch.client").all()[1]
    return new and new.id ~= old
  end)
end

-- After the start, where users are.
vim.api.nvim_create_autocmd("VimEnter", {
  callback = vim.schedule_wrap(function()
    local good, problem = xpcall(check, debug.traceback)
    io.stdout:write(good and "all good\n" or problem .. "\n")
    vim.cmd(good and "qall!" or "cquit 1")
  end),
})
