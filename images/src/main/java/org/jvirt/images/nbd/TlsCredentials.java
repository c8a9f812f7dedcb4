package org.jvirt.images.nbd;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.CRL;
import java.security.cert.CertStore;
import java.security.cert.Certificate;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.X509CertSelector;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jvirt.core.UserErrorException;

/// Who one side of an encrypted connection is, and whom it believes. The certificates lie in a folder as those of
/// QEMU's `tls-creds-x509` do:
///
/// ```
/// ca-cert.pem       whose signatures are believed
/// ca-crl.pem        which of them no longer (optional)
/// server-cert.pem, server-key.pem    of a server
/// client-cert.pem, client-key.pem    of a client, where servers want to know it (optional)
/// ```
///
/// Immutable, thread-safe.
public final class TlsCredentials {
    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};
    private static final char[] NO_PASSWORD = {};

    private final SSLContext context;
    private final boolean server;
    private final boolean verifyPeer;

    private TlsCredentials(SSLContext context, boolean server, boolean verifyPeer) {
        this.context = context;
        this.server = server;
        this.verifyPeer = verifyPeer;
    }

    /// @param verifyPeer whether clients need certificates of the authority
    /// @throws UserErrorException if a file is missing or is not what its name says
    public static TlsCredentials ofServer(Path folder, boolean verifyPeer) {
        Path authority = folder.resolve("ca-cert.pem");
        Optional<KeyStore> believed =
                verifyPeer || Files.exists(authority) ? Optional.of(authorities(authority)) : Optional.empty();
        return make(folder, "server", believed, true, verifyPeer);
    }

    /// @param verifyPeer whether the server needs a certificate of the authority with its name; without, anybody
    ///                   may answer in its place
    public static TlsCredentials ofClient(Path folder, boolean verifyPeer) {
        Path authority = folder.resolve("ca-cert.pem");
        Optional<KeyStore> believed =
                verifyPeer || Files.exists(authority) ? Optional.of(authorities(authority)) : Optional.empty();
        return make(folder, "client", believed, false, verifyPeer);
    }

    /// A client's that believes the authorities that the Java platform knows.
    public static TlsCredentials publicAuthorities() {
        try {
            return new TlsCredentials(SSLContext.getDefault(), false, true);
        } catch (GeneralSecurityException e) {
            throw new UserErrorException("Cannot use TLS: %s".formatted(e.getMessage()), e);
        }
    }

    private static TlsCredentials make(
            Path folder, String side, Optional<KeyStore> believed, boolean server, boolean verifyPeer) {
        Path certificate = folder.resolve(side + "-cert.pem");
        Path key = folder.resolve(side + "-key.pem");
        try {
            KeyManager[] keys = server || Files.exists(certificate) ? keys(certificate, key) : new KeyManager[0];
            TrustManager[] trust = verifyPeer
                    ? trust(believed.orElseThrow(), folder.resolve("ca-crl.pem"))
                    : new TrustManager[] {new TrustAnybody()};
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys, trust, null);
            return new TlsCredentials(context, server, verifyPeer);
        } catch (GeneralSecurityException | IOException e) {
            throw new UserErrorException("Cannot use the certificates in %s: %s".formatted(folder, e.getMessage()), e);
        }
    }

    private static KeyStore authorities(Path file) {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            int count = 0;
            for (Certificate certificate : PemFile.read(file).certificates()) {
                store.setCertificateEntry("ca" + count++, certificate);
            }
            return store;
        } catch (GeneralSecurityException | IOException e) {
            throw new UserErrorException("Cannot use %s: %s".formatted(file, e.getMessage()), e);
        }
    }

    private static KeyManager[] keys(Path certificate, Path key) throws GeneralSecurityException, IOException {
        Collection<? extends Certificate> chain = PemFile.read(certificate).certificates();
        PrivateKey own = PemFile.read(key).privateKey();
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setKeyEntry("own", own, NO_PASSWORD, chain.toArray(Certificate[]::new));
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, NO_PASSWORD);
        return factory.getKeyManagers();
    }

    private static TrustManager[] trust(KeyStore believed, Path revoked) throws GeneralSecurityException, IOException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        if (Files.exists(revoked)) {
            Collection<? extends CRL> lists = PemFile.read(revoked).revocations();
            var parameters = new PKIXBuilderParameters(believed, new X509CertSelector());
            parameters.addCertStore(
                    CertStore.getInstance("Collection", new CollectionCertStoreParameters(List.copyOf(lists))));
            parameters.setRevocationEnabled(true);
            factory.init(new CertPathTrustManagerParameters(parameters));
        } else {
            factory.init(believed);
        }
        TrustManager[] managers = factory.getTrustManagers();
        for (int i = 0; i < managers.length; i++) {
            if (managers[i] instanceof X509ExtendedTrustManager judge) {
                managers[i] = new UnnamedAuthorities(judge);
            }
        }
        return managers;
    }

    public boolean ofServer() {
        return server;
    }

    /// One side of a new connection.
    ///
    /// @param peerName what the server's certificate must say, for a client
    public SSLEngine engine(String peerName) {
        SSLEngine engine = server ? context.createSSLEngine() : context.createSSLEngine(peerName, -1);
        engine.setUseClientMode(!server);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(PROTOCOLS);
        if (server) {
            parameters.setNeedClientAuth(verifyPeer);
        } else if (verifyPeer) {
            // Names are compared as RFC 2818 tells, the one way that TLS libraries share.
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
        }
        engine.setSSLParameters(parameters);
        return engine;
    }
}
