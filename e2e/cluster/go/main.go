// The programs of a Kubernetes control plane and of a node in one executable: the name it is
// called by (os.Args[0]) picks the program, as with busybox. One link step
// instead of five, and one file to cache. It knows nothing of tests or of what
// the cluster is used for; flags come from the caller.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// lifeline names the variable by which a caller asks for a process that does
// not outlive it: standard input is then a pipe whose other end the caller
// holds, and the kernel closes that end however the caller dies.
const lifeline = "LOCAL_CLUSTER_LIFELINE"

// programs is the list to append to.
var programs = map[string]func() int{
	"etcd":                    runEtcd,
	"kube-apiserver":          command(apiserver.NewAPIServerCommand),
	"kube-controller-manager": command(controllers.NewControllerManagerCommand),
	"kube-scheduler":          command(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kubelet":                 runKubelet,
	"kube-proxy":              command(proxy.NewProxyCommand),
	"kubectl":                 runKubectl,
}

func main() {
	name := filepath.Base(os.Args[0])
	run, known := programs[name]
	if !known {
		fmt.Fprintf(os.Stderr, "%s: not a program of this executable\n", name)
		os.Exit(2)
	}
	if os.Getenv(lifeline) == "stdin" {
		go exitWithCaller()
	}
	os.Exit(run())
}

// exitWithCaller leaves nothing to shut down in order: the data directories of
// these programs are thrown away with the cluster.
func exitWithCaller() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

func command(build func() *cobra.Command) func() int {
	return func() int { return cli.Run(build()) }
}

func runEtcd() int {
	etcdmain.Main(os.Args)
	return 0
}

func runKubectl() int {
	// CheckErr words the error as kubectl does, and exits itself when there is one.
	kubectlutil.CheckErr(cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()))
	return 0
}

func runKubelet() int {
	return cli.Run(kubelet.NewKubeletCommand(context.Background()))
}
