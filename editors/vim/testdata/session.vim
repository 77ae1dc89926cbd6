" The session of a user: open the file, wait for the error, take the quick fix, save.
set nocompatible noswapfile nobackup viminfo= hidden
let $PATH = $ST_BIN . ':' . $PATH
packadd! ale
let g:ale_linters = {'python': ['secure-torch']}
let g:ale_lint_delay = 20
filetype plugin on
execute 'source ' . $ST_SETTINGS . '/secure_torch.vim'

function! Finish(text) abort
  call writefile([a:text], $ST_RESULT)
  execute a:text =~# '^all good' ? 'qall!' : 'cquit'
endfunction

let s:state = 'diagnostic'
let s:ticks = 0
function! Tick(timer) abort
  let s:ticks += 1
  if s:ticks > 800
    return Finish('never: ' . s:state . ' ' . string(ale#engine#GetLoclist(bufnr(''))) . join(getline(1, '$'), '|'))
  endif
  let found = filter(copy(ale#engine#GetLoclist(bufnr(''))), {_, d -> d.code is# 'ST201'})
  if s:state is# 'diagnostic' && !empty(found)
    let d = found[0]
    if strpart(getline(d.lnum), d.col - 1, 10) isnot# 'torch.load'
      return Finish('it stands at ' . strpart(getline(d.lnum), d.col - 1, 10))
    endif
    call cursor(d.lnum, d.col)
    let s:state = 'edit'
    ALECodeAction
  elseif s:state is# 'edit' && join(getline(1, '$'), "\n") =~# 'model = st\.load('
    let s:state = 'its end'
  elseif s:state is# 'its end' && empty(found)
    write
    call Finish('all good: Vim ' . v:version . ', ALE')
  endif
endfunction

autocmd VimEnter * call timer_start(50, 'Tick', {'repeat': -1})
