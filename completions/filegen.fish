# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_filegen_global_optspecs
    string join \n c/config= output= color= q/quiet v/verbose log-format= h/help V/version
end

function __fish_filegen_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_filegen_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_filegen_using_subcommand
    set -l cmd (__fish_filegen_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c filegen -n "__fish_filegen_needs_command" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_needs_command" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_needs_command" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_needs_command" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_needs_command" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_needs_command" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c filegen -n "__fish_filegen_needs_command" -s V -l version -d 'Print version'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "run" -d 'Make a worker\'s files for one business date'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "daemon" -d 'Serve any mixture of files: workers, ingests, transfers and schedulers'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "ingest" -d 'Write events into tables, each effect once'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "produce" -d 'Send events to the topic of an ingest file: from a file, from stdin, or made up'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "dlq" -d 'Search, plan, replay and drop events that cannot be rows'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "health" -d 'Ask the daemon of this host whether it is well'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "inspect-headers" -d 'Show page and rows of every staged and published file'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "resume" -d 'Roll a run\'s staged files back to a page, and go on from there'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "correct" -d 'Make a published date again, as its next version'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "verify" -d 'Compare a run\'s files with journal, state store and source'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "lease" -d 'Show or release the right to write'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "publish-completion" -d 'Send a run\'s completion events again, always with the same correlation ids'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "status" -d 'Show leases, runs, files and unsent events'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "doctor" -d 'Check source, key, output folder and state store before a run does'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "drill" -d 'Prove on your own worker that a killed run loses nothing'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "schedule" -d 'Show, steer and make up for schedules'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "transfer" -d 'Move files from here to there, each version once'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "datasource" -d 'List, show, make, change and delete data sources; take them over from files'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "config" -d 'Write, check, show and explain worker files'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c filegen -n "__fish_filegen_needs_command" -f -a "man" -d 'Print the manual page, or write all of them into a folder'
complete -c filegen -n "__fish_filegen_using_subcommand run" -l date -d 'Business date [default: today in the worker file\'s business_date.timezone]' -r
complete -c filegen -n "__fish_filegen_using_subcommand run" -l param -d 'Value of a parameter of the worker file for this run; may be given for several. The run keeps it' -r
complete -c filegen -n "__fish_filegen_using_subcommand run" -l reason -d 'Why, for the audit trail' -r
complete -c filegen -n "__fish_filegen_using_subcommand run" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand run" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand run" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand run" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand run" -l no-wait -d 'Do not wait for the lease: exit code 5 when another instance holds it'
complete -c filegen -n "__fish_filegen_using_subcommand run" -l restart -d 'Throw staged pages away and start with the first; who did it is kept'
complete -c filegen -n "__fish_filegen_using_subcommand run" -l force -d 'Make a date that `business_date.accept` does not take, or a run that a service has given up; who did it and why is kept'
complete -c filegen -n "__fish_filegen_using_subcommand run" -l dry-run -d 'Connect and count; show what would be read and written, and do neither'
complete -c filegen -n "__fish_filegen_using_subcommand run" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand run" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand run" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand daemon" -l health-port -d 'Port for health, metrics and the status page; 0 takes any that is free' -r
complete -c filegen -n "__fish_filegen_using_subcommand daemon" -l health-address -d 'Address to listen on, such as 127.0.0.1 [default: all]' -r
complete -c filegen -n "__fish_filegen_using_subcommand daemon" -l serve -d 'What this instance serves of its ingests [default: all that their files have]' -r -f -a "produce\t'The door for events'
ingest\t'Reading events into tables'
read\t'The door for readers'"
complete -c filegen -n "__fish_filegen_using_subcommand daemon" -l health-host -d 'Host name that requests may carry, besides localhost and addresses; may be given many times [default: any]' -r
complete -c filegen -n "__fish_filegen_using_subcommand daemon" -l health-tls-certificate -d 'File of a certificate (PEM): health, metrics and pages are then answered with TLS only; a changed file is taken at once' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand daemon" -l health-tls-key -d 'File of its key (PEM)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand daemon" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand daemon" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand daemon" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand daemon" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand daemon" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand daemon" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand daemon" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and not __fish_seen_subcommand_from run status schema check" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and not __fish_seen_subcommand_from run status schema check" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and not __fish_seen_subcommand_from run status schema check" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and not __fish_seen_subcommand_from run status schema check" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and not __fish_seen_subcommand_from run status schema check" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and not __fish_seen_subcommand_from run status schema check" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and not __fish_seen_subcommand_from run status schema check" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and not __fish_seen_subcommand_from run status schema check" -f -a "run" -d 'Write events into tables, in the foreground'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and not __fish_seen_subcommand_from run status schema check" -f -a "status" -d 'Show where reading stands, and what waits'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and not __fish_seen_subcommand_from run status schema check" -f -a "schema" -d 'Print the tables as statements of the sink\'s database, or make those that are missing'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and not __fish_seen_subcommand_from run status schema check" -f -a "check" -d 'Say which events of a file would die, and why; no sink is needed'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from run" -l from -d 'File of events, one a line, in place of the source; `-` reads stdin' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from run" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from run" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from run" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from run" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from run" -l until-end -d 'Stop where the topic ended at the start [default for files]'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from status" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from status" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from status" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from status" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from schema" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from schema" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from schema" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from schema" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from schema" -l apply -d 'Make the tables that are missing, and check the others'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from schema" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from schema" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from check" -l from -d 'File of events, one a line; `-` reads stdin [default: the source, when it is a file]' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from check" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from check" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from check" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from check" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand ingest; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand produce" -l rate -d 'Events a second' -r
complete -c filegen -n "__fish_filegen_using_subcommand produce" -l count -d 'Stop after so many' -r
complete -c filegen -n "__fish_filegen_using_subcommand produce" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand produce" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand produce" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand produce" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand produce" -l sample -d 'Make up events of the declared types, until Ctrl-C or --count'
complete -c filegen -n "__fish_filegen_using_subcommand produce" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand produce" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand produce" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and not __fish_seen_subcommand_from list show stats plan apply drop" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and not __fish_seen_subcommand_from list show stats plan apply drop" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and not __fish_seen_subcommand_from list show stats plan apply drop" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and not __fish_seen_subcommand_from list show stats plan apply drop" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and not __fish_seen_subcommand_from list show stats plan apply drop" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and not __fish_seen_subcommand_from list show stats plan apply drop" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and not __fish_seen_subcommand_from list show stats plan apply drop" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and not __fish_seen_subcommand_from list show stats plan apply drop" -f -a "list" -d 'List entries, newest first'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and not __fish_seen_subcommand_from list show stats plan apply drop" -f -a "show" -d 'Show one entry whole'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and not __fish_seen_subcommand_from list show stats plan apply drop" -f -a "stats" -d 'Count entries by kind, type, table and column'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and not __fish_seen_subcommand_from list show stats plan apply drop" -f -a "plan" -d 'Freeze a set of entries, and say what a replay would do with each today'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and not __fish_seen_subcommand_from list show stats plan apply drop" -f -a "apply" -d 'Replay exactly the entries of a plan'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and not __fish_seen_subcommand_from list show stats plan apply drop" -f -a "drop" -d 'Remove exactly the entries of a plan'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from list" -l type -d 'Only events of this type' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from list" -l kind -d 'Only this kind of error: json, empty, size, type, missing, wrong_kind, length, precision, range, nul, timestamp, constraint, trigger or parent' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from list" -l key -d 'Only this message key' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from list" -l since -d 'Only what died then or later' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from list" -l contains -d 'Only entries with this text in payload, message or id' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from list" -l limit -d 'At most so many, the newest' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from list" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from list" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from list" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from list" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from show" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from show" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from show" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from show" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from stats" -l type -d 'Only events of this type' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from stats" -l kind -d 'Only this kind of error: json, empty, size, type, missing, wrong_kind, length, precision, range, nul, timestamp, constraint, trigger or parent' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from stats" -l key -d 'Only this message key' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from stats" -l since -d 'Only what died then or later' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from stats" -l contains -d 'Only entries with this text in payload, message or id' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from stats" -l limit -d 'At most so many, the newest' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from stats" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from stats" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from stats" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from stats" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from stats" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from stats" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from stats" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -l type -d 'Only events of this type' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -l kind -d 'Only this kind of error: json, empty, size, type, missing, wrong_kind, length, precision, range, nul, timestamp, constraint, trigger or parent' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -l key -d 'Only this message key' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -l since -d 'Only what died then or later' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -l contains -d 'Only entries with this text in payload, message or id' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -l limit -d 'At most so many, the newest' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -l out -d 'Where the plan goes' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -l force -d 'Replace the file that is there'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from plan" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from apply" -l reason -d 'Why, for the audit trail' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from apply" -l rate -d 'Entries a second [default: as fast as it goes]' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from apply" -l max-failures -d 'Stop after so many failures of one kind' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from apply" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from apply" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from apply" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from apply" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from apply" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from apply" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from apply" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from drop" -l reason -d 'Why, for the audit trail' -r
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from drop" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from drop" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from drop" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from drop" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from drop" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from drop" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand dlq; and __fish_seen_subcommand_from drop" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand health" -l health-port -d 'Port that the daemon listens at' -r
complete -c filegen -n "__fish_filegen_using_subcommand health" -l health-address -d 'Address that the daemon listens on [default: this machine\'s own]' -r
complete -c filegen -n "__fish_filegen_using_subcommand health" -l timeout -d 'Longest wait for the answer, in seconds' -r
complete -c filegen -n "__fish_filegen_using_subcommand health" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand health" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand health" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand health" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand health" -l ready -d 'Ask whether all that it depends on answers, too; without it, whether the daemon itself works'
complete -c filegen -n "__fish_filegen_using_subcommand health" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand health" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand health" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand inspect-headers" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand inspect-headers" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand inspect-headers" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand inspect-headers" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand inspect-headers" -l deep -d 'Read all bytes: count records, check the journal\'s checksums and the manifest\'s digests'
complete -c filegen -n "__fish_filegen_using_subcommand inspect-headers" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand inspect-headers" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand inspect-headers" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand resume" -l from-page -d 'First page to write again, from 1; pages before it are kept' -r
complete -c filegen -n "__fish_filegen_using_subcommand resume" -l date -d 'Business date [default: today in the worker file\'s business_date.timezone]' -r
complete -c filegen -n "__fish_filegen_using_subcommand resume" -l reason -d 'Why, for the audit trail' -r
complete -c filegen -n "__fish_filegen_using_subcommand resume" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand resume" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand resume" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand resume" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand resume" -l no-wait -d 'Do not wait for the lease: exit code 5 when another instance holds it'
complete -c filegen -n "__fish_filegen_using_subcommand resume" -l dry-run -d 'Show what would be kept, read and written, and change nothing'
complete -c filegen -n "__fish_filegen_using_subcommand resume" -s y -l yes -d 'Do not ask'
complete -c filegen -n "__fish_filegen_using_subcommand resume" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand resume" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand resume" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand correct" -l date -d 'Business date to make again' -r
complete -c filegen -n "__fish_filegen_using_subcommand correct" -l reason -d 'Why; stands in the manifest, the completion events and the audit trail' -r
complete -c filegen -n "__fish_filegen_using_subcommand correct" -l files -d 'Files to make anew; the others stay as they are [default: all]' -r
complete -c filegen -n "__fish_filegen_using_subcommand correct" -l param -d 'Value of a parameter of the worker file for this run; may be given for several. The run keeps it' -r
complete -c filegen -n "__fish_filegen_using_subcommand correct" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand correct" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand correct" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand correct" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand correct" -l cancel -d 'Take back a correction that was asked for and has not appeared yet; the version before stays'
complete -c filegen -n "__fish_filegen_using_subcommand correct" -l no-wait -d 'Do not wait for the lease: exit code 5 when another instance holds it'
complete -c filegen -n "__fish_filegen_using_subcommand correct" -l dry-run -d 'Connect and count; show what would be read and written, and do neither'
complete -c filegen -n "__fish_filegen_using_subcommand correct" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand correct" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand correct" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand verify" -l date -d 'Business date [default: today in the worker file\'s business_date.timezone]' -r
complete -c filegen -n "__fish_filegen_using_subcommand verify" -l param -d 'Value of a parameter of the worker file for this run; may be given for several. The run keeps it' -r
complete -c filegen -n "__fish_filegen_using_subcommand verify" -l pages -d 'Read so many pages again, spread over the run, the first and the last among them' -r
complete -c filegen -n "__fish_filegen_using_subcommand verify" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand verify" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand verify" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand verify" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand verify" -l full -d 'Read all pages again'
complete -c filegen -n "__fish_filegen_using_subcommand verify" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand verify" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand verify" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and not __fish_seen_subcommand_from show release" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand lease; and not __fish_seen_subcommand_from show release" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand lease; and not __fish_seen_subcommand_from show release" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand lease; and not __fish_seen_subcommand_from show release" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand lease; and not __fish_seen_subcommand_from show release" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and not __fish_seen_subcommand_from show release" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and not __fish_seen_subcommand_from show release" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and not __fish_seen_subcommand_from show release" -f -a "show" -d 'Show who holds the lease, with which token, and how fresh it is'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and not __fish_seen_subcommand_from show release" -f -a "release" -d 'Give the lease back on its holder\'s behalf'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from show" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from show" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from show" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from show" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from show" -l watch -d 'Show again every two seconds until Ctrl-C'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from show" -l all -d 'Show the leases of all workers in this state store'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from release" -l reason -d 'Why, for the audit trail' -r
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from release" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from release" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from release" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from release" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from release" -l force -d 'Also from a holder that is alive'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from release" -s y -l yes -d 'Do not ask'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from release" -l dry-run -d 'Show what would be released, and change nothing'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from release" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from release" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand lease; and __fish_seen_subcommand_from release" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand publish-completion" -l date -d 'Business date [default: today in the worker file\'s business_date.timezone]' -r
complete -c filegen -n "__fish_filegen_using_subcommand publish-completion" -l file -d 'Only this file\'s event' -r
complete -c filegen -n "__fish_filegen_using_subcommand publish-completion" -l reason -d 'Why, for the audit trail' -r
complete -c filegen -n "__fish_filegen_using_subcommand publish-completion" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand publish-completion" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand publish-completion" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand publish-completion" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand publish-completion" -s y -l yes -d 'Do not ask'
complete -c filegen -n "__fish_filegen_using_subcommand publish-completion" -l dry-run -d 'Show the events exactly as they would be sent, and send nothing'
complete -c filegen -n "__fish_filegen_using_subcommand publish-completion" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand publish-completion" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand publish-completion" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand status" -l worker -d 'Only this worker [default: all in this state store]' -r
complete -c filegen -n "__fish_filegen_using_subcommand status" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand status" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand status" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand status" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand status" -l watch -d 'Show again every two seconds until Ctrl-C'
complete -c filegen -n "__fish_filegen_using_subcommand status" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand status" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand status" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand doctor" -l param -d 'Value of a parameter of the worker file for this run; may be given for several. The run keeps it' -r
complete -c filegen -n "__fish_filegen_using_subcommand doctor" -l reason -d 'Why, for the audit trail' -r
complete -c filegen -n "__fish_filegen_using_subcommand doctor" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand doctor" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand doctor" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand doctor" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand doctor" -l fix -d 'Make missing indexes of the state store'
complete -c filegen -n "__fish_filegen_using_subcommand doctor" -s y -l yes -d 'Do not ask'
complete -c filegen -n "__fish_filegen_using_subcommand doctor" -l dry-run -d 'Show what would be made, and make nothing'
complete -c filegen -n "__fish_filegen_using_subcommand doctor" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand doctor" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand drill" -l date -d 'Business date [default: today in the worker file\'s business_date.timezone]' -r
complete -c filegen -n "__fish_filegen_using_subcommand drill" -l param -d 'Value of a parameter of the worker file for this run; may be given for several. The run keeps it' -r
complete -c filegen -n "__fish_filegen_using_subcommand drill" -l pages -d 'Read so many pages of the view; a small view is cut into that many' -r
complete -c filegen -n "__fish_filegen_using_subcommand drill" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand drill" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand drill" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand drill" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand drill" -l keep -d 'Leave the scratch folder, with the files of every trial'
complete -c filegen -n "__fish_filegen_using_subcommand drill" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand drill" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand drill" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -f -a "next" -d 'Show the next times of a cron expression, as Quartz reads it'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -f -a "list" -d 'Show all schedules: status, next time, last outcome, how late'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -f -a "show" -d 'Show one schedule with its history'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -f -a "pause" -d 'Stop a schedule from firing'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -f -a "resume" -d 'Let a paused schedule go on from now'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -f -a "run" -d 'Run a schedule once, now'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -f -a "backfill" -d 'Run the due times that were missed between two times'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and not __fish_seen_subcommand_from next list show pause resume run backfill sync" -f -a "sync" -d 'Hold schedules against data sources, and mend the difference'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from next" -l zone -d 'The zone whose clock it reads, by its IANA name' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from next" -l from -d 'Look behind this moment: with an offset, or on the zone\'s clock [default: now]' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from next" -l count -d 'How many times to show' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from next" -l calendar -d 'Leave out days without business: weekends, those of target (the euro\'s) or us-federal too, or a file of dates (.yaml, .ics)' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from next" -l closed-day -d 'What becomes of times on such days: skip (they are left out), previous or next (they move to that day with business)' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from next" -l dst -d 'What becomes of times that a clock change skips or repeats: quartz (skipped ones are not due, repeated ones once, in the later pass), run_missing (skipped ones right behind the change), first (the earlier pass), both (both passes)' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from next" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from next" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from next" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from next" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from next" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from next" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from next" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from list" -l status -d 'Only those of this status' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from list" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from list" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from list" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from list" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from show" -l history -d 'How many due times to show' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from show" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from show" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from show" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from show" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from pause" -l reason -d 'Why, for the list and the audit trail' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from pause" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from pause" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from pause" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from pause" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from pause" -l dry-run -d 'Show what would be done, and change nothing'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from pause" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from pause" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from resume" -l reason -d 'Why, for the audit trail' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from resume" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from resume" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from resume" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from resume" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from resume" -l dry-run -d 'Show what would be done, and change nothing'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from resume" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from resume" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from run" -l reason -d 'Why, for the history' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from run" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from run" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from run" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from run" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from run" -l dry-run -d 'Show what would be done, and change nothing'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from backfill" -l from -d 'From this moment on' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from backfill" -l to -d 'Up to this moment [default: now]' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from backfill" -l reason -d 'Why, for the history' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from backfill" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from backfill" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from backfill" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from backfill" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from backfill" -l dry-run -d 'Show which due times would run, and change nothing'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from backfill" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from backfill" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from backfill" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from sync" -l reason -d 'Why, for the audit trail' -r
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from sync" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from sync" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from sync" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from sync" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from sync" -l dry-run -d 'Show the differences, and change nothing'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from sync" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from sync" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand schedule; and __fish_seen_subcommand_from sync" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and not __fish_seen_subcommand_from run status list show redrive verify" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and not __fish_seen_subcommand_from run status list show redrive verify" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and not __fish_seen_subcommand_from run status list show redrive verify" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and not __fish_seen_subcommand_from run status list show redrive verify" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and not __fish_seen_subcommand_from run status list show redrive verify" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and not __fish_seen_subcommand_from run status list show redrive verify" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and not __fish_seen_subcommand_from run status list show redrive verify" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and not __fish_seen_subcommand_from run status list show redrive verify" -f -a "run" -d 'Move what is there, in the foreground'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and not __fish_seen_subcommand_from run status list show redrive verify" -f -a "status" -d 'Show how many files are how far, what waits, and what failed last'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and not __fish_seen_subcommand_from run status list show redrive verify" -f -a "list" -d 'List files, the latest change first'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and not __fish_seen_subcommand_from run status list show redrive verify" -f -a "show" -d 'Show one file\'s whole journey'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and not __fish_seen_subcommand_from run status list show redrive verify" -f -a "redrive" -d 'Let failed files go again'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and not __fish_seen_subcommand_from run status list show redrive verify" -f -a "verify" -d 'Read the target again, and compare it with the ledger'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from run" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from run" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from run" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from run" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from run" -l once -d 'Leave files that are still being written to the next run'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from status" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from status" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from status" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from status" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from list" -l state -d 'Only files of which a side is in this state' -r
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from list" -l name -d 'Only files whose name fits, such as `*.csv`; with a `/`, whose path does' -r
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from list" -l limit -d 'At most so many' -r
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from list" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from list" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from list" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from list" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from show" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from show" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from show" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from show" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from redrive" -l kind -d 'Only failures of this kind, as `transfer show` tells it' -r
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from redrive" -l reason -d 'Why, for the audit trail' -r
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from redrive" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from redrive" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from redrive" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from redrive" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from redrive" -l all -d 'All failed files'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from redrive" -l dry-run -d 'Show which files would go, and do nothing'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from redrive" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from redrive" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from redrive" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from verify" -l since -d 'Only files delivered within this time, such as 12h or 7d [default: all]' -r
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from verify" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from verify" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from verify" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from verify" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand transfer; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -f -a "list" -d 'List data sources'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -f -a "show" -d 'Show one data source, and its next due times'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -f -a "create" -d 'Make a data source'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -f -a "update" -d 'Change a data source: what is not given stays'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -f -a "delete" -d 'Delete a data source'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -f -a "import" -d 'Make or change data sources as a file says, by their names'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and not __fish_seen_subcommand_from list show create update delete import export" -f -a "export" -d 'Write all data sources, as import takes them'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from list" -l search -d 'Those with this text in name, description, path or pattern' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from list" -l status -d 'Those that are active, or those that are not' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from list" -l limit -d 'At most so many' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from list" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from list" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from list" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from list" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from show" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from show" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from show" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from show" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -l name -d 'Unique name' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -l description -d 'What it is for' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -l path -d 'Folder below one of the scheduler\'s roots' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -l pattern -d 'Which files: \'*.csv\', \'{a,b}_??.txt\', \'**/*.csv\'' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -l recursive -d 'Whether folders below count too' -r -f -a "true\t''
false\t''"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -l cron -d 'When: a cron expression, as Quartz reads it' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -l rate -d 'How often, in place of --cron: 2m' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -l zone -d 'IANA zone of the expression' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -l set -d 'Any field as JSON: \'action={"run":"LoanWorker"}\'; may be given many times' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -l dry-run -d 'Show what would be done, and change nothing'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l version -d 'Refuse when another version than this is there' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l name -d 'Unique name' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l description -d 'What it is for' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l path -d 'Folder below one of the scheduler\'s roots' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l pattern -d 'Which files: \'*.csv\', \'{a,b}_??.txt\', \'**/*.csv\'' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l recursive -d 'Whether folders below count too' -r -f -a "true\t''
false\t''"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l cron -d 'When: a cron expression, as Quartz reads it' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l rate -d 'How often, in place of --cron: 2m' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l zone -d 'IANA zone of the expression' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l set -d 'Any field as JSON: \'action={"run":"LoanWorker"}\'; may be given many times' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -l dry-run -d 'Show what would be done, and change nothing'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from delete" -l version -d 'Refuse when another version than this is there' -r
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from delete" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from delete" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from delete" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from delete" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from delete" -s y -l yes -d 'Do not ask'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from delete" -l dry-run -d 'Show what would be done, and change nothing'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from delete" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from import" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from import" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from import" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from import" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from import" -l dry-run -d 'Show what would be done, and change nothing'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from import" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from import" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from export" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from export" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from export" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from export" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from export" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from export" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand datasource; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand config; and not __fish_seen_subcommand_from init check show schema" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand config; and not __fish_seen_subcommand_from init check show schema" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and not __fish_seen_subcommand_from init check show schema" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and not __fish_seen_subcommand_from init check show schema" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and not __fish_seen_subcommand_from init check show schema" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand config; and not __fish_seen_subcommand_from init check show schema" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand config; and not __fish_seen_subcommand_from init check show schema" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand config; and not __fish_seen_subcommand_from init check show schema" -f -a "init" -d 'Write a worker file to start from'
complete -c filegen -n "__fish_filegen_using_subcommand config; and not __fish_seen_subcommand_from init check show schema" -f -a "check" -d 'Check worker files, and tell everything that is wrong with them'
complete -c filegen -n "__fish_filegen_using_subcommand config; and not __fish_seen_subcommand_from init check show schema" -f -a "show" -d 'Show a worker file as it is understood, and where each value came from'
complete -c filegen -n "__fish_filegen_using_subcommand config; and not __fish_seen_subcommand_from init check show schema" -f -a "schema" -d 'Print the JSON Schema of worker files, for editors'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -l kind -d 'Kind of file, by its first key' -r
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -l from -d 'Address of the source, or `-` to read it from stdin [default: SQL_CONNECTION_STRING]' -r
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -l from-env -d 'Environment variable that holds the address; the worker file then names it' -r
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -l view -d 'View whose columns to take' -r
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -l key -d 'Columns that are unique and not null together; guessed when not given' -r
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -l receiver -d 'Program that loads the file, such as `duckdb` or `postgres-copy`: makes the one file that it takes whole' -r
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -l force -d 'Replace the worker file that is there'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from check" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from check" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from check" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from check" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from check" -l source -d 'Also connect to the source: hold the columns against those of the view, try each `where`, read a row'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from show" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from show" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from show" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from show" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from schema" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from schema" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from schema" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from schema" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from schema" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from schema" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand config; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand completions" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand completions" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand completions" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand completions" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand completions" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand completions" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand completions" -s h -l help -d 'Print help'
complete -c filegen -n "__fish_filegen_using_subcommand man" -l dir -d 'Write the page of every command into this folder, which is made if it is not there' -r -f -a "(__fish_complete_directories)"
complete -c filegen -n "__fish_filegen_using_subcommand man" -s c -l config -d 'Worker file (YAML)' -r -F
complete -c filegen -n "__fish_filegen_using_subcommand man" -l output -d 'Form of the result on stdout' -r -f -a "table\t'For people'
json\t'One JSON document on one line'"
complete -c filegen -n "__fish_filegen_using_subcommand man" -l color -d 'When to use colour; NO_COLOR turns it off too' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c filegen -n "__fish_filegen_using_subcommand man" -l log-format -d 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]' -r -f -a "text\t'For people'
kv\t'`key=value`, as Splunk reads it'
json\t'One JSON object a line'"
complete -c filegen -n "__fish_filegen_using_subcommand man" -s q -l quiet -d 'Print results and errors only: no progress'
complete -c filegen -n "__fish_filegen_using_subcommand man" -s v -l verbose -d 'Log to stderr: -v what happens, -vv more, -vvv all'
complete -c filegen -n "__fish_filegen_using_subcommand man" -s h -l help -d 'Print help'
