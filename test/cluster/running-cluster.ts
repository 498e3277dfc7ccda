import type { Image } from './images.ts';

/** A cluster that runs pods: ours, or the one the user's kubeconfig names. */
export type Cluster = {
  /** As its administrator. */
  readonly kubeconfigPath: string;
  /** Undefined: the file's current context. */
  readonly context?: string;
  /** The programs to speak to it with: the user's where there are any, else ours. */
  readonly kubectl: string;
  readonly helm: string;
  /** False where images must come from a registry: an existing cluster without `ARPEGGIO_LOAD_IMAGE`. */
  readonly takesImages: boolean;
  /** Makes every image of this archive known to every node. */
  loadImage(image: Image): Promise<void>;
};
