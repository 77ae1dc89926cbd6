" What scan, inspect, convert and doctor print.
if exists("b:current_syntax")
  finish
endif

syntax match secureTorchBad     /^\s*✗.*$/
syntax match secureTorchDoubt   /^\s*[⚠?].*$/
syntax match secureTorchGood    /^\s*✓.*$/
syntax match secureTorchVerdict /^Verdict:.*$/
syntax match secureTorchRule    /\<ST\d\{3}\>/ containedin=secureTorchBad,secureTorchDoubt
syntax match secureTorchOffset  /\<0x\x\+\>/
syntax match secureTorchOpcode  /^\s*\d\+:\s\+\S\+\s\+\zs[A-Z][A-Z0-9_]\+\>/
syntax match secureTorchDanger  /^.*\<\(GLOBAL\|STACK_GLOBAL\|REDUCE\|INST\|OBJ\|NEWOBJ\|NEWOBJ_EX\|BUILD\)\>.*$/ contains=secureTorchOffset

highlight default link secureTorchBad     ErrorMsg
highlight default link secureTorchDoubt   WarningMsg
highlight default link secureTorchGood    DiffAdd
highlight default link secureTorchVerdict Title
highlight default link secureTorchRule    Identifier
highlight default link secureTorchOffset  Number
highlight default link secureTorchOpcode  Keyword
highlight default link secureTorchDanger  Todo

let b:current_syntax = "secure_torch"
