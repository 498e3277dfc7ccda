package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificateRequest is one certificate to make: <name>.crt and <name>.key in the folder asked for.
type certificateRequest struct {
	Name          string   `json:"name"`
	CommonName    string   `json:"commonName"`
	Organizations []string `json:"organizations"`
	Hosts         []string `json:"hosts"`
}

const certificateLife = 365 * 24 * time.Hour

// runCertificates reads a list of requests from standard input and writes, into the folder named by its argument, a
// new authority (ca.crt, ca.key), a key for service account tokens (sa.key, sa.pub) and what was asked for.
func runCertificates() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: controlplane certificates <folder>  < requests.json")
		os.Exit(2)
	}
	if err := makeCertificates(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func makeCertificates(folder string) error {
	var requests []certificateRequest
	if err := json.NewDecoder(os.Stdin).Decode(&requests); err != nil {
		return fmt.Errorf("the requests are not JSON: %w", err)
	}
	key, err := writeKey(filepath.Join(folder, "ca.key"))
	if err != nil {
		return err
	}
	authority := template("arpeggio-cluster", nil)
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authority.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	if err := writeCertificate(filepath.Join(folder, "ca.crt"), authority, authority, key, key); err != nil {
		return err
	}
	if err := writeServiceAccountKey(folder); err != nil {
		return err
	}
	for _, request := range requests {
		own, err := writeKey(filepath.Join(folder, request.Name+".key"))
		if err != nil {
			return err
		}
		leaf := template(request.CommonName, request.Organizations)
		leaf.KeyUsage = x509.KeyUsageDigitalSignature
		leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
		for _, host := range request.Hosts {
			if address := net.ParseIP(host); address != nil {
				leaf.IPAddresses = append(leaf.IPAddresses, address)
			} else {
				leaf.DNSNames = append(leaf.DNSNames, host)
			}
		}
		if err := writeCertificate(filepath.Join(folder, request.Name+".crt"), leaf, authority, own, key); err != nil {
			return err
		}
	}
	return nil
}

func template(commonName string, organizations []string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: commonName, Organization: organizations},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(certificateLife),
	}
}

func writeServiceAccountKey(folder string) error {
	key, err := writeKey(filepath.Join(folder, "sa.key"))
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	return writePEM(filepath.Join(folder, "sa.pub"), "PUBLIC KEY", public, 0o644)
}

func writeKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(path, "EC PRIVATE KEY", der, 0o600)
}

func writeCertificate(path string, leaf, parent *x509.Certificate, own, signer *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, leaf, parent, &own.PublicKey, signer)
	if err != nil {
		return err
	}
	return writePEM(path, "CERTIFICATE", der, 0o644)
}

func writePEM(path, kind string, der []byte, mode os.FileMode) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}
