
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
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Write, check, show and explain worker files')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page, or write all of them into a folder')
            break
        }
        'filegen;run' {
            [CompletionResult]::new('--date', '--date', [CompletionResultType]::ParameterName, 'Business date [default: today in the worker file''s business_date.timezone]')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'Value of a parameter of the worker file for this run; may be given for several. The run keeps it')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Worker file (YAML)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the result on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour; NO_COLOR turns it off too')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]')
            [CompletionResult]::new('--no-wait', '--no-wait', [CompletionResultType]::ParameterName, 'Do not wait for the lease: exit code 5 when another instance holds it')
            [CompletionResult]::new('--restart', '--restart', [CompletionResultType]::ParameterName, 'Throw staged pages away and start with the first; who did it is kept')
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
