package main

import (
	"bufio"
	"fmt"
	"strings"

	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/hint"
)

// confirm asks whether what has been printed shall be done, unless yes says so.
// Without a terminal, or if the output is for a program, there is nobody to ask.
func (a *app) confirm(yes, program bool) error {
	if yes {
		return nil
	}
	if err := a.out.Flush(); err != nil {
		return err
	}
	if program || !a.outTerminal || !term.IsTerminal(a.in) {
		return hint.Add(fmt.Errorf("nothing was changed: there is nobody to ask"), "--yes does it without a question")
	}
	fmt.Fprint(a.err, "Do this? [y/N] ")
	answer, err := bufio.NewReader(a.in).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); err != nil || answer != "y" && answer != "yes" {
		return fmt.Errorf("nothing was changed")
	}
	return nil
}
