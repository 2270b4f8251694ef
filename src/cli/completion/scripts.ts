/** What each shell needs: a function that asks the hidden command `mapiary __complete` what may stand at the cursor. */
export const COMPLETION_SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# mapiary completion for bash: eval "$(mapiary completion bash)"
_mapiary() {
  local IFS=$'\\n'
  local words
  words=$(mapiary __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  if [[ \${COMP_WORDS[COMP_CWORD-1]} == file ]]; then
    COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
  fi
}
complete -F _mapiary mapiary
`,
  zsh: `#compdef mapiary
# mapiary completion for zsh: eval "$(mapiary completion zsh)", or this text as _mapiary in a directory of $fpath.
_mapiary() {
  local -a found
  if [[ \${words[CURRENT-1]} == file ]]; then
    _files
    return
  fi
  found=("\${(@f)$(mapiary __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
if [[ \${funcstack[1]} == _mapiary ]]; then
  _mapiary "$@"
else
  compdef _mapiary mapiary
fi
`,
  fish: `# mapiary completion for fish: mapiary completion fish | source
function __mapiary_complete
  set -l before (commandline -opc)
  set -l last (commandline -ct)
  if test "$before[-1]" = file
    __fish_complete_path $last
    return
  end
  mapiary __complete -- $before[2..-1] "$last" 2>/dev/null
end
complete -c mapiary -f -a '(__mapiary_complete)'
`,
};
