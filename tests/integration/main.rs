//! One integration test binary: everything that needs more than one room, against a real etcd and
//! a real kube-apiserver. Tests that are data lie in `golden/`.

mod crds;
mod golden;
