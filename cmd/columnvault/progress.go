package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progressDelay is how long work takes before its bar appears.
const progressDelay = 500 * time.Millisecond

// newProgress makes a bar for work of this size, -1 if it is not known. It
// shows itself only on a terminal, if it is wanted, and only if it takes long.
func (a *app) newProgress(quiet bool, text string, total int64) *progressbar.ProgressBar {
	if quiet || !a.errTerminal {
		return progressbar.DefaultSilent(total)
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(&lateWriter{a.err, time.Now().Add(progressDelay)}),
		progressbar.OptionSetDescription(text),
		progressbar.OptionShowBytes(total < 0),
		progressbar.OptionSetPredictTime(false), // work has parts of different speed
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish())
}

// lateWriter drops what is written to it before a certain time.
type lateWriter struct {
	w    io.Writer
	from time.Time
}

func (l *lateWriter) Write(p []byte) (int, error) {
	if time.Now().Before(l.from) {
		return len(p), nil
	}
	return l.w.Write(p)
}
