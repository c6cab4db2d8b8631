
_venuekit_complete() {
    local IFS=$'\013'
    # Bash splits words at = and :, which belong to a word here: what no blank parts is put together again.
    local rest="${COMP_LINE:0:COMP_POINT}" words=() count=0 trimmed word at
    for ((at = 0; at <= COMP_CWORD; at++)); do
        word="${COMP_WORDS[at]}"
        trimmed="${rest#"${rest%%[![:space:]]*}"}"
        # The word with the cursor in it counts as far as the cursor.
        if ((at == COMP_CWORD)); then word="$trimmed"; fi
        if ((at > 0)) && [[ -n "$rest" && "$trimmed" == "$rest" ]]; then
            words[count - 1]+="$word"
        else
            words[count++]="$word"
        fi
        rest="${trimmed#"$word"}"
    done
    local current="${words[count - 1]}" breaks="${COMP_WORDBREAKS//[^=:]/}"
    local _CLAP_COMPLETE_SPACE=true
    if compopt +o nospace 2> /dev/null; then
        _CLAP_COMPLETE_SPACE=false
    fi
    if [[ "$current" == *=@* ]]; then
        # Behind =@ stands a file; bash by itself would offer hosts. Where it does so, the @ belongs to the word.
        if ! shopt -q hostcomplete && [[ "$COMP_WORDBREAKS" == *@* ]]; then breaks+="@"; fi
        local IFS=$'\n' file
        COMPREPLY=()
        for file in $(compgen -f -- "${current#*=@}"); do
            if [[ -d "$file" ]]; then file+="/"; fi
            printf -v file "%q" "$file"
            COMPREPLY+=("${current%%=@*}=@$file")
        done
    else
        COMPREPLY=( $( \
            _CLAP_IFS="$IFS" \
            _CLAP_COMPLETE_INDEX="$((count - 1))" \
            _CLAP_COMPLETE_COMP_TYPE="${COMP_TYPE}" \
            _CLAP_COMPLETE_SPACE="$_CLAP_COMPLETE_SPACE" \
            COMPLETE="bash" \
            venuekit -- "${words[@]}" \
        ) )
        if [[ $? != 0 ]]; then
            unset COMPREPLY
            return
        fi
    fi
    # Only what stands behind the last = or : is replaced.
    if [[ -n "$breaks" ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*[$breaks]}"}"}")
    fi
    if [[ $_CLAP_COMPLETE_SPACE == false && "${COMPREPLY-}" =~ [=/:]$ ]]; then
        compopt -o nospace
    fi
}
if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -o nospace -o bashdefault -o nosort -F _venuekit_complete venuekit
else
    complete -o nospace -o bashdefault -F _venuekit_complete venuekit
fi
