# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of lfactl for bash, with bash-completion. What can be written lfactl itself knows: `lfactl complete`.
# shellcheck shell=bash

_lfactl() {
        local cur words cword candidates
        _get_comp_words_by_ref -n "=:" cur words cword
        mapfile -t candidates < <("$1" complete -- "${words[@]:1:cword}" 2>/dev/null)
        case ${candidates[0]-} in
        :directory)
                cur=${cur#*=}
                _filedir -d
                return
                ;;
        :host)
                _known_hosts_real -a -- "${cur#*=}"
                return
                ;;
        :command\ *)
                # the command stands behind two dashes
                local i
                for ((i = 1; i < COMP_CWORD; i++)); do
                        if [[ ${COMP_WORDS[i]} == -- ]]; then
                                _command_offset $((i + 1))
                                return
                        fi
                done
                return
                ;;
        esac
        COMPREPLY=("${candidates[@]%%$'\t'*}")
        # what stands before "=" is a word of its own for readline
        if [[ $cur == *=* && $COMP_WORDBREAKS == *=* ]]; then
                COMPREPLY=("${COMPREPLY[@]#"${cur%%=*}="}")
        fi
        __ltrim_colon_completions "$cur"
        if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
                compopt -o nospace 2>/dev/null
        fi
}

complete -F _lfactl lfactl
