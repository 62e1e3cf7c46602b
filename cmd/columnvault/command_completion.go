package main

import (
	"strings"

	"github.com/spf13/cobra"

	"columnvault/internal/excerpt"
)

// shells are those that can complete words of the tool.
var shells = []string{"bash", "zsh", "fish", "powershell"}

func newCompletionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Make a shell complete commands, columns and keys",
		Long: `Print a script that makes a shell (bash, zsh, fish or powershell) complete the
words of a command line: commands, flags, and the columns and keys of the
database that the line names. The script is for the configuration of the shell,
or for the folder where it looks for such scripts. Bash needs the package
bash-completion.`,
		Example: `  source <(columnvault completion bash)
  columnvault completion bash > ~/.local/share/bash-completion/completions/columnvault
  columnvault completion zsh > "${fpath[1]}/_columnvault"
  columnvault completion fish > ~/.config/fish/completions/columnvault.fish`,
		RunE: func(cmd *cobra.Command, args []string) error { return runCompletion(a, cmd.Root(), args[0]) },
	}
}

func runCompletion(a *app, root *cobra.Command, shell string) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(a.out, true)
	case "zsh":
		return root.GenZshCompletion(a.out)
	case "fish":
		return root.GenFishCompletion(a.out, true)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(a.out)
	}
	return usagef("the shell %s is none of %s", excerpt.Quote(shell, excerpt.Value), strings.Join(shells, ", "))
}
