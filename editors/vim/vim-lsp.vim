" For vim-lsp. Other servers for Python go on working beside this one.
augroup secure_torch
  autocmd!
  autocmd User lsp_setup call lsp#register_server({
  \ 'name': 'secure-torch',
  \ 'cmd': {info -> ['secure-torch', 'lsp']},
  \ 'allowlist': ['python'],
  \ 'root_uri': {info -> lsp#utils#path_to_uri(lsp#utils#find_nearest_parent_file_directory(lsp#utils#get_buffer_path(), ['secure-torch.toml', 'pyproject.toml', '.git/']))},
  \ })
augroup END
