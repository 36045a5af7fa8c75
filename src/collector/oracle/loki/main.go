// Command loki-oracle says what otelcol's loki translator makes of log records, for
// src/exporters/loki/translate/tests. Numbers are 32 bits, big-endian.
//
// In, repeated: labels to leave out (length, text separated by commas), a request (length, bytes).
// Out for each: the number of pushes; of each its tenant, its PushRequest (length, bytes) and how
// many records were dropped.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"log"
	"os"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/loki"
	"go.opentelemetry.io/collector/pdata/plog"
)

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		disabled, err := read(in)
		if errors.Is(err, io.EOF) {
			break
		}
		check(err)
		request, err := read(in)
		check(err)
		check(answer(out, string(disabled), request))
	}
	check(out.Flush())
}

func answer(out io.Writer, disabled string, request []byte) error {
	logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(request)
	if err != nil {
		return err
	}
	enabled := map[string]bool{}
	for _, label := range strings.Split(disabled, ",") {
		enabled[label] = false
	}
	pushes := loki.LogsToLokiRequests(logs, enabled)
	if err := number(out, len(pushes)); err != nil {
		return err
	}
	for tenant, push := range pushes {
		body, err := push.PushRequest.Marshal()
		if err != nil {
			return err
		}
		err = errors.Join(write(out, []byte(tenant)), write(out, body), number(out, push.Report.NumDropped))
		if err != nil {
			return err
		}
	}
	return nil
}

func read(in io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return nil, err
	}
	bytes := make([]byte, binary.BigEndian.Uint32(length[:]))
	_, err := io.ReadFull(in, bytes)
	return bytes, err
}

func write(out io.Writer, bytes []byte) error {
	if err := number(out, len(bytes)); err != nil {
		return err
	}
	_, err := out.Write(bytes)
	return err
}

func number(out io.Writer, value int) error {
	return binary.Write(out, binary.BigEndian, uint32(value))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
