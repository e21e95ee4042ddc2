// SPDX-License-Identifier: GPL-3.0-or-later

// Kubernetes in one binary, which is the command by whose name it is called: its commands share most of their packages.
// So they are linked once, and take a quarter of the disk: in the node, and in the archive of its images, which every new
// node reads. kubectl has a binary of its own: it would start slower.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	_ "time/tzdata" // time zones of CronJobs

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	kubeadmerrors "k8s.io/kubernetes/cmd/kubeadm/app/util/errors"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

var commands = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-proxy":              proxy.NewProxyCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
}

func main() {
	name := filepath.Base(os.Args[0])
	newCommand, known := commands[name]
	switch {
	case known:
		os.Exit(cli.Run(newCommand()))
	case name == "kubeadm":
		kubeadmerrors.HandleError(kubeadm.Run())
	case len(os.Args) == 2 && os.Args[1] == "commands":
		fmt.Println("kubeadm")
		for name := range commands {
			fmt.Println(name)
		}
	default:
		fmt.Fprintf(os.Stderr, "%s is no command of Kubernetes. Call this binary by the name of one; kubernetes commands lists them\n", name)
		os.Exit(2)
	}
}
