
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'filegen' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'filegen'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'filegen' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Make a worker''s files for one business date')
            [CompletionResult]::new('daemon', 'daemon', [CompletionResultType]::ParameterValue, 'Serve workers: start runs on events, lead or stand by, send completion events')
            [CompletionResult]::new('ingest', 'ingest', [CompletionResultType]::ParameterValue, 'Write events into tables, each effect once')
            [CompletionResult]::new('dlq', 'dlq', [CompletionResultType]::ParameterValue, 'Search, plan, replay and drop events that cannot be rows')
            [CompletionResult]::new('health', 'health', [CompletionResultType]::ParameterValue, 'Ask the daemon of this host whether it is well')
            [CompletionResult]::new('inspect-headers', 'inspect-headers', [CompletionResultType]::ParameterValue, 'Show page and rows of every staged and published file')
            [CompletionResult]::new('resume', 'resume', [CompletionResultType]::ParameterValue, 'Roll a run''s staged files back to a page, and go on from there')
            [CompletionResult]::new('correct', 'correct', [CompletionResultType]::ParameterValue, 'Make a published date again, as its next version')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Compare a run''s files with journal, state store and source')
            [CompletionResult]::new('lease', 'lease', [CompletionResultType]::ParameterValue, 'Show or release the right to write')
            [CompletionResult]::new('publish-completion', 'publish-completion', [CompletionResultType]::ParameterValue, 'Send a run''s completion events again, always with the same correlation ids')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show leases, runs, files and unsent events')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check source, key, output folder and state store before a run does')
            [CompletionResult]::new('drill', 'drill', [CompletionResultType]::ParameterValue, 'Prove on your own worker that a killed run loses nothing')
            [CompletionResult]::new('schedule', 'schedule', [CompletionResultType]::ParameterValue, 'Show when a schedule is due')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Write, check, show and explain worker files')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page, or write all of them into a folder')
            break
        }
        'filegen;run' {
            [CompletionResult]::new('--date', '--date', [CompletionResultType]::ParameterName, 'Business date [default: today in the worker file''s business_date.timezone]')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'Value of a parameter of the worker file for this run; may be given for several. The run keeps it')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why, for the audit trail')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--no-wait', '--no-wait', [CompletionResultType]::ParameterName, 'Do not wait for the lease: exit code 5 when another instance holds it')
            [CompletionResult]::new('--restart', '--restart', [CompletionResultType]::ParameterName, 'Throw staged pages away and start with the first; who did it is kept')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Make a date that `business_date.accept` does not take, or a run that a service has given up; who did it and why is kept')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Connect and count; show what would be read and written, and do neither')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;daemon' {
            [CompletionResult]::new('--health-port', '--health-port', [CompletionResultType]::ParameterName, 'Port for health, metrics and the status page; 0 takes any that is free')
            [CompletionResult]::new('--health-address', '--health-address', [CompletionResultType]::ParameterName, 'Address to listen on, such as 127.0.0.1 [default: all]')
            [CompletionResult]::new('--health-host', '--health-host', [CompletionResultType]::ParameterName, 'Host name that requests may carry, besides localhost and addresses; may be given many times [default: any]')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;ingest' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Write events into tables, in the foreground')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show where reading stands, and what waits')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the tables as statements of the sink''s database, or make those that are missing')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Say which events of a file would die, and why; no sink is needed')
            break
        }
        'filegen;ingest;run' {
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'File of events, one a line, in place of the source; `-` reads stdin')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--until-end', '--until-end', [CompletionResultType]::ParameterName, 'Stop where the topic ended at the start [default for files]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;ingest;status' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;ingest;schema' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--apply', '--apply', [CompletionResultType]::ParameterName, 'Make the tables that are missing, and check the others')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;ingest;check' {
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'File of events, one a line; `-` reads stdin [default: the source, when it is a file]')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;dlq' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List entries, newest first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one entry whole')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Count entries by kind, type, table and column')
            [CompletionResult]::new('plan', 'plan', [CompletionResultType]::ParameterValue, 'Freeze a set of entries, and say what a replay would do with each today')
            [CompletionResult]::new('apply', 'apply', [CompletionResultType]::ParameterValue, 'Replay exactly the entries of a plan')
            [CompletionResult]::new('drop', 'drop', [CompletionResultType]::ParameterValue, 'Remove exactly the entries of a plan')
            break
        }
        'filegen;dlq;list' {
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'Only events of this type')
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only this kind of error: json, empty, size, type, missing, wrong_kind, length, precision, range, nul, timestamp, constraint, trigger or parent')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Only this message key')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only what died then or later')
            [CompletionResult]::new('--contains', '--contains', [CompletionResultType]::ParameterName, 'Only entries with this text in payload, message or id')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most so many, the newest')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;dlq;show' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;dlq;stats' {
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'Only events of this type')
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only this kind of error: json, empty, size, type, missing, wrong_kind, length, precision, range, nul, timestamp, constraint, trigger or parent')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Only this message key')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only what died then or later')
            [CompletionResult]::new('--contains', '--contains', [CompletionResultType]::ParameterName, 'Only entries with this text in payload, message or id')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most so many, the newest')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;dlq;plan' {
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'Only events of this type')
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only this kind of error: json, empty, size, type, missing, wrong_kind, length, precision, range, nul, timestamp, constraint, trigger or parent')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Only this message key')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only what died then or later')
            [CompletionResult]::new('--contains', '--contains', [CompletionResultType]::ParameterName, 'Only entries with this text in payload, message or id')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most so many, the newest')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Where the plan goes')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace the file that is there')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;dlq;apply' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why, for the audit trail')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Entries a second [default: as fast as it goes]')
            [CompletionResult]::new('--max-failures', '--max-failures', [CompletionResultType]::ParameterName, 'Stop after so many failures of one kind')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;dlq;drop' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why, for the audit trail')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;health' {
            [CompletionResult]::new('--health-port', '--health-port', [CompletionResultType]::ParameterName, 'Port that the daemon listens at')
            [CompletionResult]::new('--health-address', '--health-address', [CompletionResultType]::ParameterName, 'Address that the daemon listens on [default: this machine''s own]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Longest wait for the answer, in seconds')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--ready', '--ready', [CompletionResultType]::ParameterName, 'Ask whether all that it depends on answers, too; without it, whether the daemon itself works')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;inspect-headers' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--deep', '--deep', [CompletionResultType]::ParameterName, 'Read all bytes: count records, check the journal''s checksums and the manifest''s digests')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;resume' {
            [CompletionResult]::new('--from-page', '--from-page', [CompletionResultType]::ParameterName, 'First page to write again, from 1; pages before it are kept')
            [CompletionResult]::new('--date', '--date', [CompletionResultType]::ParameterName, 'Business date [default: today in the worker file''s business_date.timezone]')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why, for the audit trail')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--no-wait', '--no-wait', [CompletionResultType]::ParameterName, 'Do not wait for the lease: exit code 5 when another instance holds it')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be kept, read and written, and change nothing')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;correct' {
            [CompletionResult]::new('--date', '--date', [CompletionResultType]::ParameterName, 'Business date to make again')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why; stands in the manifest, the completion events and the audit trail')
            [CompletionResult]::new('--files', '--files', [CompletionResultType]::ParameterName, 'Files to make anew; the others stay as they are [default: all]')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'Value of a parameter of the worker file for this run; may be given for several. The run keeps it')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--cancel', '--cancel', [CompletionResultType]::ParameterName, 'Take back a correction that was asked for and has not appeared yet; the version before stays')
            [CompletionResult]::new('--no-wait', '--no-wait', [CompletionResultType]::ParameterName, 'Do not wait for the lease: exit code 5 when another instance holds it')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Connect and count; show what would be read and written, and do neither')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;verify' {
            [CompletionResult]::new('--date', '--date', [CompletionResultType]::ParameterName, 'Business date [default: today in the worker file''s business_date.timezone]')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'Value of a parameter of the worker file for this run; may be given for several. The run keeps it')
            [CompletionResult]::new('--pages', '--pages', [CompletionResultType]::ParameterName, 'Read so many pages again, spread over the run, the first and the last among them')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--full', '--full', [CompletionResultType]::ParameterName, 'Read all pages again')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;lease' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show who holds the lease, with which token, and how fresh it is')
            [CompletionResult]::new('release', 'release', [CompletionResultType]::ParameterValue, 'Give the lease back on its holder''s behalf')
            break
        }
        'filegen;lease;show' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Show again every two seconds until Ctrl-C')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Show the leases of all workers in this state store')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;lease;release' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why, for the audit trail')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Also from a holder that is alive')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be released, and change nothing')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;publish-completion' {
            [CompletionResult]::new('--date', '--date', [CompletionResultType]::ParameterName, 'Business date [default: today in the worker file''s business_date.timezone]')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Only this file''s event')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why, for the audit trail')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the events exactly as they would be sent, and send nothing')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;status' {
            [CompletionResult]::new('--worker', '--worker', [CompletionResultType]::ParameterName, 'Only this worker [default: all in this state store]')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Show again every two seconds until Ctrl-C')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;doctor' {
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'Value of a parameter of the worker file for this run; may be given for several. The run keeps it')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why, for the audit trail')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--fix', '--fix', [CompletionResultType]::ParameterName, 'Make missing indexes of the state store')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be made, and make nothing')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;drill' {
            [CompletionResult]::new('--date', '--date', [CompletionResultType]::ParameterName, 'Business date [default: today in the worker file''s business_date.timezone]')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'Value of a parameter of the worker file for this run; may be given for several. The run keeps it')
            [CompletionResult]::new('--pages', '--pages', [CompletionResultType]::ParameterName, 'Read so many pages of the view; a small view is cut into that many')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Leave the scratch folder, with the files of every trial')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;schedule' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('next', 'next', [CompletionResultType]::ParameterValue, 'Show the next times of a cron expression, as Quartz reads it')
            break
        }
        'filegen;schedule;next' {
            [CompletionResult]::new('--zone', '--zone', [CompletionResultType]::ParameterName, 'The zone whose clock it reads, by its IANA name')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Look behind this moment: with an offset, or on the zone''s clock [default: now]')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'How many times to show')
            [CompletionResult]::new('--calendar', '--calendar', [CompletionResultType]::ParameterName, 'Leave out days without business: weekends, those of target (the euro''s) or us-federal too, or a file of dates (.yaml, .ics)')
            [CompletionResult]::new('--closed-day', '--closed-day', [CompletionResultType]::ParameterName, 'What becomes of times on such days: skip (they are left out), previous or next (they move to that day with business)')
            [CompletionResult]::new('--dst', '--dst', [CompletionResultType]::ParameterName, 'What becomes of times that a clock change skips or repeats: quartz (skipped ones are not due, repeated ones once, in the later pass), run_missing (skipped ones right behind the change), first (the earlier pass), both (both passes)')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;config' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a worker file to start from')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check worker files, and tell everything that is wrong with them')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show a worker file as it is understood, and where each value came from')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of worker files, for editors')
            break
        }
        'filegen;config;init' {
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Kind of file, by its first key: worker or ingest')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Address of the source, or `-` to read it from stdin [default: SQL_CONNECTION_STRING]')
            [CompletionResult]::new('--from-env', '--from-env', [CompletionResultType]::ParameterName, 'Environment variable that holds the address; the worker file then names it')
            [CompletionResult]::new('--view', '--view', [CompletionResultType]::ParameterName, 'View whose columns to take')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Columns that are unique and not null together; guessed when not given')
            [CompletionResult]::new('--receiver', '--receiver', [CompletionResultType]::ParameterName, 'Program that loads the file, such as `duckdb` or `postgres-copy`: makes the one file that it takes whole')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace the worker file that is there')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;config;check' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Also connect to the source: hold the columns against those of the view, try each `where`, read a row')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;config;show' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;config;schema' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;completions' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'filegen;man' {
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Write the page of every command into this folder, which is made if it is not there')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only: no progress')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what happens, -vv more, -vvv all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
