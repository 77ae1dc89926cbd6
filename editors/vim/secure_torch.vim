" For ALE. Its other linters for Python go on working beside this one.
call ale#linter#Define('python', {
\   'name': 'secure-torch',
\   'lsp': 'stdio',
\   'executable': 'secure-torch',
\   'command': '%e lsp',
\   'language': 'python',
\   'project_root': function('ale#python#FindProjectRoot'),
\})
