// SPDX-License-Identifier: GPL-3.0-or-later

// Decides by the cluster's NetworkPolicies which connections of pods may open. The rules of /usr/local/bin/networkpolicy-rules
// hand it the first packet of each; what it does not accept is dropped.
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

// A table name may have 255 characters (Linux: NFT_TABLE_MAXNAMELEN). The library writes nftables rules that queue packets, which
// some kernels cannot. A table that the kernel refuses at once keeps it from registering a hook, and so from losing packets
// each time that it tries.
var noTable = strings.Repeat("x", 300)

func run(ctx context.Context, kubeconfig string, queue int) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	// Its messages are about the rules that it cannot write
	klog.SetLogger(logr.Discard())

	factory := informers.NewSharedInformerFactory(client, 0)
	controller, err := networkpolicy.NewController(
		client,
		factory.Networking().V1().NetworkPolicies(),
		factory.Core().V1().Namespaces(),
		factory.Core().V1().Pods(),
		nil, nil, nil, nil, // admin network policies: no such kind in this cluster
		networkpolicy.Config{QueueID: queue, NFTableName: noTable},
	)
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	return controller.Run(ctx)
}

func main() {
	kubeconfig := flag.String("kubeconfig", "/etc/kubernetes/admin.conf", "of a user who may read pods, namespaces and policies")
	queue := flag.Int("queue", 98, "number of the NFQUEUE of the rules")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig, *queue); err != nil {
		log.Fatal(err)
	}
}
