# Install the agent on Windows, as an administrator: install.ps1 -Server https://... -Code K7QH-M3XA-9RTC [-Python C:\...\python.exe]
# Undone by: install.ps1 -Undo
param([string]$Server, [string]$Code, [string]$Python = 'python.exe', [switch]$Undo)
$ErrorActionPreference = 'Stop'
$place = 'C:\Program Files\Pupitre\Agent'
$data = 'C:\ProgramData\Pupitre'
$run = "$place\Scripts\python.exe"
if ($Undo) {
    Unregister-ScheduledTask -TaskPath '\Pupitre\' -TaskName 'Agent' -Confirm:$false -ErrorAction SilentlyContinue
    if (Test-Path "$data\Agent\identity.json") { & $run -I -m pupitre_agent release }
    Remove-Item -Recurse -Force $place, $data -ErrorAction SilentlyContinue
    exit 0
}
$agent = (Resolve-Path "$PSScriptRoot\..\..").Path
& $Python -m venv $place
& $run -m pip install -q --disable-pip-version-check --only-binary :all: --require-hashes -r "$agent\requirements.txt"
if ($LASTEXITCODE) { throw 'The libraries could not be installed.' }
Copy-Item -Recurse -Force "$agent\src\pupitre_agent" "$place\Lib\site-packages\"
# Its folder is the system's and administrators' alone; what `explain` reads is everybody's.
New-Item -ItemType Directory -Force "$data\Agent", "$data\Public" | Out-Null
icacls "$data\Agent" /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' | Out-Null
icacls "$data\Public" /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-32-545:(OI)(CI)RX' | Out-Null
& $run -I -m pupitre_agent enrol --server $Server --code $Code
if ($LASTEXITCODE) { throw 'This computer was not let in.' }
Register-ScheduledTask -Force -TaskPath '\Pupitre\' -TaskName 'Agent' -Xml (Get-Content -Raw "$PSScriptRoot\pupitre-agent.xml") | Out-Null
Start-ScheduledTask -TaskPath '\Pupitre\' -TaskName 'Agent'
