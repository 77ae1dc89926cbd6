-- :SecureTorch scan|report|inspect|convert|doctor|restart
local client = require("secure_torch.client")
local M = {}

--- A window on a buffer that shows what a command printed.
local function scratch(title)
  local buffer = vim.api.nvim_create_buf(false, true)
  pcall(vim.api.nvim_buf_set_name, buffer, "securetorch://" .. buffer .. "/" .. title)
  vim.cmd("sbuffer " .. buffer)
  vim.bo[buffer].bufhidden = "wipe"
  vim.bo[buffer].modifiable = false
  return buffer
end

local function fill(buffer, lines)
  if not vim.api.nvim_buf_is_valid(buffer) then
    return
  end
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].modifiable = false
end

--- Runs the program beside the editor and shows what it prints. Its words travel as a list: no shell reads
--- them. done gets the exit code.
function M.program(args, done)
  local lines = { "" }
  local buffer = scratch(table.concat(args, " "))
  fill(buffer, { "secure-torch " .. table.concat(args, " ") .. " …" })
  local function take(_, data)
    lines[#lines] = lines[#lines] .. (data[1] or "")
    vim.list_extend(lines, data, 2)
  end
  local cmd = vim.list_extend({ (require("secure_torch").command())[1] }, args)
  local ok, job = pcall(vim.fn.jobstart, cmd, {
    on_stdout = take,
    on_stderr = take,
    env = { NO_COLOR = "1" },
    on_exit = vim.schedule_wrap(function(_, code)
      while #lines > 1 and lines[#lines] == "" do
        table.remove(lines)
      end
      fill(buffer, lines)
      if done then
        done(code)
      end
    end),
  })
  if not ok or job <= 0 then
    fill(buffer, { "cannot execute " .. cmd[1], "See :checkhealth secure_torch" })
  end
  vim.bo[buffer].filetype = "secure_torch" -- last: an ftplugin of the user's may raise an error
end

local function this_file()
  return vim.api.nvim_buf_get_name(0)
end

local function expanded(path)
  return vim.fn.fnamemodify(vim.fn.expand(path), ":p")
end

--- Options travel first and paths after "--": a file may be named like an option.
local function on_paths(verb, options, paths)
  local args = vim.list_extend({ verb }, options)
  table.insert(args, "--")
  for _, path in ipairs(paths) do
    table.insert(args, expanded(path))
  end
  return args
end

local verbs = {}

--- Without a path: what the current Python file loads, through the server. With paths: these.
function verbs.scan(args)
  if #args > 0 then
    return M.program(on_paths("scan", {}, args))
  end
  local from = client.all(0)[1]
  if from then
    local params = { command = "secure-torch.scanAgain", arguments = { vim.uri_from_bufnr(0) } }
    return client.request(from, "workspace/executeCommand", params, function(result, problem)
      vim.notify("secure-torch: " .. (problem or ("scanned " .. result.scanned .. (result.scanned == 1 and " model" or " models"))))
    end)
  end
  M.program(on_paths("scan", {}, { require("secure_torch").root(this_file()) }))
end

function verbs.report(args)
  if #args == 0 then
    return require("secure_torch.report").at_cursor()
  end
  require("secure_torch.report").open(expanded(args[1]))
end

function verbs.inspect(args)
  M.program(on_paths("inspect", { "--disassemble" }, { args[1] or this_file() }))
end

function verbs.convert(args)
  if #args == 0 then
    return vim.notify("secure-torch: convert IN [OUT.safetensors]", vim.log.levels.ERROR)
  end
  local out = args[2] or (vim.fn.fnamemodify(expanded(args[1]), ":r") .. ".safetensors")
  M.program(on_paths("convert", {}, { args[1], out }))
end

function verbs.doctor()
  M.program({ "doctor" })
end

function verbs.restart()
  client.stop_all()
  require("secure_torch").attach_all()
end

--- Runs one :SecureTorch command.
function M.run(words)
  local verb = verbs[words[1]]
  if not verb then
    local known = vim.tbl_keys(verbs)
    table.sort(known)
    return vim.notify("secure-torch: no command " .. words[1] .. "; known: " .. table.concat(known, ", "), vim.log.levels.ERROR)
  end
  verb({ unpack(words, 2) })
end

--- Completes the command's first word, then files.
function M.complete(lead, line)
  if line:match("^%s*%S+%s+%S*$") then
    local found = vim.tbl_filter(function(verb)
      return vim.startswith(verb, lead)
    end, vim.tbl_keys(verbs))
    table.sort(found)
    return found
  end
  return vim.fn.getcompletion(lead, "file")
end

return M
