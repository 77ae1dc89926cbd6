-- secure-torch for Neovim 0.7 to 0.12: finds the calls that load models and says what loading would do.
--
-- Neovim has had three ways to start a language server; setup() takes the newest there is:
--   0.11 and later  vim.lsp.config and vim.lsp.enable
--   0.8 to 0.10     vim.lsp.start, from a FileType autocommand
--   0.7             vim.lsp.start_client, one client for each root
local M = {}

local NAME = "secure_torch"
local MARKERS = { "secure-torch.toml", "pyproject.toml", ".git" }

M.defaults = {
  cmd = nil, -- list; nil: `secure-torch lsp` from the activated environment, else from PATH
  filetypes = { "python" },
  trusted = {}, -- list of folders whose own configuration may loosen checks; everything else is untrusted
  settings = {}, -- codeLens, inlayHints and workspaceScan; what is checked stands in secure-torch.toml
  on_attach = nil,
}

local options = vim.deepcopy(M.defaults)

--- The command that starts the server, and where it was found. Never looks into the opened folder: a
--- program that lies there is the folder's, not yours. Only an environment that you activated counts.
function M.command()
  if options.cmd then
    return options.cmd, "cmd option"
  end
  local venv = vim.env.VIRTUAL_ENV
  if venv and venv ~= "" then
    local folder = vim.fn.has("win32") == 1 and "/Scripts/secure-torch.exe" or "/bin/secure-torch"
    if vim.fn.executable(venv .. folder) == 1 then
      return { venv .. folder, "lsp" }, "VIRTUAL_ENV"
    end
  end
  local found = vim.fn.exepath("secure-torch")
  return { found ~= "" and found or "secure-torch", "lsp" }, "PATH"
end

--- The folder that a file belongs to: the nearest one upwards with a marker, else the file's own.
function M.root(path)
  local folder = vim.fn.fnamemodify(path, ":p:h")
  local at, before = folder, nil
  while at ~= before do
    for _, marker in ipairs(MARKERS) do
      local candidate = at .. "/" .. marker
      if vim.fn.filereadable(candidate) == 1 or vim.fn.isdirectory(candidate) == 1 then
        return at
      end
    end
    before, at = at, vim.fn.fnamemodify(at, ":h")
  end
  return folder
end

--- Whether the user's own configuration lists a folder, or one above it. Without that nothing is trusted.
function M.is_trusted(root)
  root = vim.fn.resolve(vim.fn.fnamemodify(root, ":p")):gsub("/+$", "")
  for _, folder in ipairs(options.trusted) do
    folder = vim.fn.resolve(vim.fn.fnamemodify(vim.fn.expand(folder), ":p")):gsub("/+$", "")
    if root == folder or root:sub(1, #folder + 1) == folder .. "/" then
      return true
    end
  end
  return false
end

local function capabilities()
  local caps = vim.lsp.protocol.make_client_capabilities()
  -- The encoding that the Python servers beside this one speak; Neovim warns of a mixture in one buffer.
  caps.general = caps.general or {}
  caps.general.positionEncodings = { "utf-16" }
  return caps
end

-- An empty table would travel as a list.
local function settings()
  return next(options.settings) and options.settings or vim.empty_dict()
end

local function init_options(root)
  -- prompts: plugin/secure_torch.lua asks for the reason of an ignore comment.
  return { trusted = root ~= nil and M.is_trusted(root), prompts = vim.g.loaded_secure_torch == true, settings = settings() }
end

--- What the language client is started with, for one root.
function M.config(root)
  return {
    name = NAME,
    cmd = (M.command()),
    filetypes = options.filetypes,
    root_dir = root,
    capabilities = capabilities(),
    init_options = init_options(root),
    settings = { ["secure-torch"] = settings() },
    on_attach = options.on_attach,
  }
end

local function start_newest() -- 0.11 and later
  local config = M.config(nil)
  config.root_dir, config.init_options = nil, nil
  config.root_markers = MARKERS
  config.before_init = function(params, conf)
    local root = conf.root_dir
    params.initializationOptions = init_options(root)
  end
  vim.lsp.config(NAME, config)
  vim.lsp.enable(NAME)
end

local clients = {} -- by root; 0.7 only

local function start_oldest(buffer, root) -- 0.7
  local id = clients[root]
  if not id or not vim.lsp.get_client_by_id(id) then
    local config = M.config(root)
    config.workspace_folders = { { uri = vim.uri_from_fname(root), name = root } }
    id = vim.lsp.start_client(config)
    clients[root] = id
  end
  if id then
    vim.lsp.buf_attach_client(buffer, id)
  end
end

local function attach(buffer)
  local path = vim.api.nvim_buf_get_name(buffer)
  if path == "" or vim.bo[buffer].buftype ~= "" then
    return
  end
  local root = M.root(path)
  if vim.lsp.start then
    vim.lsp.start(M.config(root), { bufnr = buffer })
  else
    start_oldest(buffer, root)
  end
end

--- Starts the server for the Python buffers that are open now.
function M.attach_all()
  if vim.lsp.config and vim.lsp.enable then
    return vim.lsp.enable(NAME)
  end
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.tbl_contains(options.filetypes, vim.bo[buffer].filetype) then
      attach(buffer)
    end
  end
end

--- Starts the server for Python buffers, those open now included.
function M.setup(opts)
  options = vim.tbl_deep_extend("force", vim.deepcopy(M.defaults), opts or {})
  if vim.lsp.config and vim.lsp.enable then
    return start_newest()
  end
  local group = vim.api.nvim_create_augroup("secure_torch", { clear = true })
  vim.api.nvim_create_autocmd("FileType", {
    group = group,
    pattern = options.filetypes,
    callback = function(event)
      attach(event.buf)
    end,
  })
  M.attach_all()
end

return M
