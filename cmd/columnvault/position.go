package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/internal/position"
)

// parseIndex reads a position.
func parseIndex(cmd *cobra.Command, text string) (int, error) {
	i, err := strconv.Atoi(text)
	if err != nil {
		return 0, usagef(cmd, "%q is not a position", text)
	}
	return i, nil
}

// parseBounds reads START:STOP:STEP, of which parts may be missing.
func parseBounds(cmd *cobra.Command, text string) (position.Slice, error) {
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return position.Slice{}, usagef(cmd, "%q is not a slice: want START:STOP or START:STOP:STEP", text)
	}
	b := position.Slice{Step: 1}
	var err error
	if len(parts) == 3 && parts[2] != "" {
		if b.Step, err = parseIndex(cmd, parts[2]); err != nil {
			return b, err
		}
		if b.Step == 0 {
			return b, usagef(cmd, "the step of a slice cannot be 0")
		}
	}
	b.Start, b.Stop = columnvault.Begin, columnvault.End
	if b.Step < 0 {
		b.Start, b.Stop = columnvault.End, columnvault.Begin
	}
	for i, bound := range []*int{&b.Start, &b.Stop} {
		if parts[i] == "" {
			continue
		}
		if *bound, err = parseIndex(cmd, parts[i]); err != nil {
			return b, err
		}
	}
	return b, nil
}
