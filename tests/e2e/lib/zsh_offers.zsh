# SPDX-License-Identifier: MIT
#
# zsh_offers.zsh FOLDER LINE...: what zsh offers behind each line, with the _peal of FOLDER: rows of
# LINE, word and description with tabs between, and one with the LINE alone.
#
# Completion needs a terminal and its line editor, so a second zsh is on a pseudo-terminal. There,
# compadd says what it adds, and a widget ends each line with a mark.
zmodload zsh/zpty || exit 1
folder=$1
tab=$'\t'
shift
zpty inner zsh -f -i
zpty -w inner "stty columns 1000 rows 500; PROMPT= RPROMPT=; LISTMAX=100000; unset zle_bracketed_paste"
zpty -w inner "fpath=($folder \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w inner 'compadd() {
    local -a hits about
    local -A prefix suffix
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
        builtin compadd "$@"
        return
    fi
    if (( $@[(I)-d] )); then
        local given=${@[$(( ${@[(i)-d]} + 1 ))]}
        if [[ $given == \(* ]]; then eval "about=$given"; else about=("${(@P)given}"); fi
    fi
    builtin compadd -A hits -D about "$@"
    zparseopts -E P:=prefix p:=prefix S:=suffix s:=suffix
    local i
    for (( i = 1; i <= $#hits; i++ )); do
        print -r -- "OFFER:$IPREFIX$hits[i]${suffix[-S]} => $about[i]"
    done
    builtin compadd "$@"
}'
zpty -w inner 'said() { print -r -- "END:$BUFFER:" }
offers() { comppostfuncs=(said); _main_complete }
zle -C offers list-choices offers; bindkey "^I" offers; print READY:'
while zpty -r inner row; do [[ $row == *READY:* ]] && break; done
for line in "$@"; do
    print -r -- "$line"
    zpty -w -n inner $'\C-u'"$line"$'\t'
    while zpty -r inner row; do
        row=${${row//$'\r'/}%$'\n'}
        [[ $row == *OFFER:* ]] && print -r -- "$line$tab${${row##*OFFER:}/ => /$tab}"
        [[ $row == *"END:$line:"* ]] && break
    done
done
zpty -d inner
