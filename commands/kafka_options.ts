import { choice, list, secret, text, toggle } from "../lib/core/options.ts";

/** The options of every command that talks to Kafka. */
export const kafkaOptions = {
  "kafka": list({
    placeholder: "HOST:PORT,...",
    help: "brokers to begin with",
  }),
  "zookeeper": text({
    placeholder: "HOST:PORT,.../CHROOT",
    help: "find the brokers in ZooKeeper instead of --kafka",
  }),
  "kafka-tls": toggle({ help: "speak TLS to the brokers; implied by --kafka-ca and --kafka-cert" }),
  "kafka-ca": text({
    placeholder: "FILE",
    help: "certificates (PEM) to trust instead of the system's",
  }),
  "kafka-cert": text({ placeholder: "FILE", help: "client certificate (PEM) for mutual TLS" }),
  "kafka-key": text({ placeholder: "FILE", help: "private key (PEM) of the client certificate" }),
  "sasl-mechanism": choice(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"], {
    help: "how to log in to the brokers",
  }),
  "sasl-username": text({ placeholder: "NAME", help: "user name for PLAIN and SCRAM" }),
  "sasl-password": secret({ help: "the file that holds the password for PLAIN and SCRAM" }),
  "sasl-token": secret({ help: "the file that holds the OAUTHBEARER token; read at each login" }),
  "sasl-plain-without-tls": toggle({
    help: "allow PLAIN and OAUTHBEARER without TLS: everybody on the way can read the secret",
  }),
} as const;
