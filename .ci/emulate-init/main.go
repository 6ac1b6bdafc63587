// Command emulate-init is process 1 of the machine that emulate-avx512 emulates.
// It runs one program, copies what the program prints to the second serial port
// and powers the machine off.
//
// The initramfs it is started from holds, in /job:
//
//	args  the program's path and arguments, each ended by a NUL byte
//	env   the program's environment, KEY=VALUE, each ended by a NUL byte
//	dir   the directory the program starts in
//
// On the port, what the program prints comes between a line "\x1ebegin" and a line
// "\x1eexit CODE".
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"unsafe"
)

// failed is the exit code reported when the program could not be started.
const failed = 125

func main() {
	port, err := open()
	if err != nil {
		fmt.Println("emulate-init:", err)
	} else {
		report(port)
	}
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}

// open mounts the kernel's file systems and opens the serial port, set to pass
// bytes on unchanged.
func open() (*os.File, error) {
	for _, m := range []struct{ kind, dir string }{
		{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"},
	} {
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			return nil, err
		}
		err := syscall.Mount(m.kind, m.dir, m.kind, 0, "")
		if err != nil && !errors.Is(err, syscall.EBUSY) {
			return nil, fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	port, err := os.OpenFile("/dev/ttyS1", os.O_WRONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	var t syscall.Termios
	if err := ioctl(port, syscall.TCGETS, uintptr(unsafe.Pointer(&t))); err != nil {
		return nil, err
	}
	t.Oflag &^= syscall.OPOST
	const speedMask = 0x100f
	t.Cflag = t.Cflag&^speedMask | syscall.B115200
	return port, ioctl(port, syscall.TCSETS, uintptr(unsafe.Pointer(&t)))
}

func ioctl(f *os.File, request, arg uintptr) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, arg); errno != 0 {
		return os.NewSyscallError("ioctl", errno)
	}
	return nil
}

// report runs the job and writes its output and exit code to port.
func report(port *os.File) {
	out := &lineWriter{w: port}
	fmt.Fprint(out, "\x1ebegin\n")
	code, err := run(out)
	if err != nil {
		fmt.Fprintln(out, "emulate-init:", err)
	}
	if out.last != '\n' {
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "\x1eexit %d\n", code)
	const tcsbrk, drain = 0x5409, 1
	ioctl(port, tcsbrk, drain)
}

// run starts the program, waits for it and returns its exit code; 128 plus the
// signal's number if a signal ended it.
func run(out io.Writer) (int, error) {
	args, err := fields("/job/args")
	if err != nil {
		return failed, err
	}
	env, err := fields("/job/env")
	if err != nil {
		return failed, err
	}
	dir, err := os.ReadFile("/job/dir")
	if err != nil {
		return failed, err
	}
	if err := os.MkdirAll("/tmp", 0o777); err != nil {
		return failed, err
	}
	cmd := &exec.Cmd{
		Path: args[0], Args: args, Env: env, Dir: string(dir),
		// One writer for both keeps their order.
		Stdout: out, Stderr: out,
	}
	err = cmd.Run()
	if cmd.ProcessState == nil {
		return failed, err
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal()), fmt.Errorf("%s: %v", args[0], status.Signal())
	}
	return status.ExitStatus(), nil
}

// fields reads a file of strings each ended by a NUL byte.
func fields(name string) ([]string, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	all := strings.Split(string(b), "\x00")
	return all[:len(all)-1], nil
}

// lineWriter remembers the last byte written.
type lineWriter struct {
	w    io.Writer
	last byte
}

func (l *lineWriter) Write(p []byte) (int, error) {
	n, err := l.w.Write(p)
	if n > 0 {
		l.last = p[n-1]
	}
	return n, err
}
