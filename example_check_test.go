package columnvault_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"columnvault"
	"columnvault/dtype"
)

// Check looks for damage and says what it has not looked at. CheckOptions.Full
// leaves nothing out.
func ExampleVault_Check() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "c", dtype.String, nil)
	check(err)
	check(c.Append(ctx, "one", "two"))

	sound := true
	for f, err := range v.Check(ctx, columnvault.CheckOptions{Full: true, Digest: true}) {
		check(err)
		if f.Severity == columnvault.SeverityDamage {
			sound = false
		}
		fmt.Printf("%v: %s %x... %s\n", f.Severity, f.Column, f.Digest[:4], f.Text)
	}
	fmt.Println("sound:", sound)
	// Output:
	// note: c bdee2e0a... SHA-256 of 2 elements
	// sound: true
}

// A plan says what a repair would do. Here there is nothing to do; otherwise
// Repair makes a copy of the vault, and then carries the plan out.
func ExampleVault_Repair() {
	dir, err := os.MkdirTemp("", "columnvault-")
	check(err)
	defer os.RemoveAll(dir)
	v, err := columnvault.Open(filepath.Join(dir, "metrics.db"), nil)
	check(err)
	defer v.Close()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "loss", dtype.Float32, nil)
	check(err)
	check(c.Append(ctx, 0.5, 0.25))

	plan, err := v.PlanRepair(ctx, columnvault.RepairOptions{Replace: true})
	check(err)
	fmt.Print(plan)
	for _, step := range plan.Steps {
		fmt.Println(step.Action, step.Column, step.Loss)
	}
	check(v.Repair(ctx, plan))
	// Output: there is nothing to do
}
