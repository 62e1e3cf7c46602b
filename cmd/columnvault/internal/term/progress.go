package term

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progressDelay is how long work takes before its bar appears.
const progressDelay = 500 * time.Millisecond

// Progress is a bar that shows how far work has come. A nil one shows nothing.
type Progress struct {
	bar *progressbar.ProgressBar
}

// NewProgress makes a bar on a terminal for work of this size, -1 if it is not
// known. The bar shows itself only if the work takes long.
func NewProgress(w io.Writer, text string, total int64) *Progress {
	return &Progress{progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(&lateWriter{w, time.Now().Add(progressDelay)}),
		progressbar.OptionSetDescription(text),
		progressbar.OptionShowBytes(total < 0),
		progressbar.OptionSetPredictTime(false), // work has parts of different speed
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish())}
}

// Add moves the bar.
func (p *Progress) Add(n int) {
	if p != nil {
		_ = p.bar.Add(n) // that a bar cannot be drawn is no reason to stop
	}
}

// Set moves the bar to a place, of a total that may have changed.
func (p *Progress) Set(done, total int64) {
	if p == nil || total < 0 {
		return
	}
	if p.bar.GetMax64() != total {
		p.bar.ChangeMax64(total)
	}
	_ = p.bar.Set64(min(done, total))
}

// Finish removes the bar.
func (p *Progress) Finish() {
	if p != nil {
		_ = p.bar.Finish()
	}
}

// Reader returns a reader that moves the bar by what is read from r.
func (p *Progress) Reader(r io.Reader) io.Reader {
	if p == nil {
		return r
	}
	counted := progressbar.NewReader(r, p.bar)
	return &counted
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
