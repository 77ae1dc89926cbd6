-- One session of a real user in a real Neovim: open the file, wait for the error, take the quick fix,
-- save. Writes what it saw as JSON and leaves; Go judges it.
local out = {}

local function finish(problem)
  out.problem = problem
  local file = assert(io.open(vim.env.ST_RESULT, "w"))
  file:write(vim.fn.json_encode(out))
  file:close()
  vim.cmd(problem and "cquit 1" or "qall!")
end

local function wait_for(what, condition)
  if not vim.wait(30000, condition, 20) then
    out.diagnostics = vim.diagnostic.get(0)
    out.lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
    finish("never: " .. what)
  end
end

local function session()
  vim.opt.runtimepath:append(vim.env.ST_PLUGIN)
  vim.cmd("filetype on")
  if vim.env.ST_ENABLE then
    vim.env.PATH = vim.fn.fnamemodify(vim.env.ST_BINARY, ":h") .. ":" .. vim.env.PATH
    vim.lsp.enable("secure_torch")
  else
    require("secure_torch").setup({ cmd = { vim.env.ST_BINARY, "lsp" } })
  end
  vim.cmd("edit " .. vim.fn.fnameescape(vim.env.ST_FILE))
  out.version = vim.version().major .. "." .. vim.version().minor .. "." .. vim.version().patch

  local function at_call()
    for _, d in ipairs(vim.diagnostic.get(0)) do
      if d.source == "secure-torch" and d.code == vim.env.ST_CODE then
        return d
      end
    end
  end
  wait_for("a diagnostic " .. vim.env.ST_CODE, at_call)
  local d = at_call()
  out.first = { lnum = d.lnum, col = d.col, end_col = d.end_col, severity = d.severity, message = d.message }
  out.line = vim.api.nvim_buf_get_lines(0, d.lnum, d.lnum + 1, false)[1]

  vim.ui.select = function(items, _, choose) -- what a user would see, and his choice
    out.offered = {}
    local pick
    for i, item in ipairs(items) do
      local action = item[2] or item.action
      table.insert(out.offered, action.title)
      if action.title:find(vim.env.ST_ACTION, 1, true) then
        pick = i
      end
    end
    choose(items[pick or 1], pick or 1)
  end
  vim.api.nvim_win_set_cursor(0, { d.lnum + 1, d.col + 1 })
  vim.lsp.buf.code_action()
  wait_for("st.load in the buffer", function()
    return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n"):find("st.load", 1, true)
  end)
  wait_for("the diagnostic to go away", function()
    return not at_call()
  end)
  vim.cmd("write")
  out.lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  finish()
end

local good, problem = pcall(session)
if not good then
  finish(problem)
end
