/** What every transport can do, whatever carries its messages. */
import { EndOfStream, TransportClosed } from "./errors.js";
/** Iterate over what a receiver receives. */
export function messagesOf(receiver) {
    return {
        async next() {
            try {
                return { done: false, value: await receiver.receive() };
            }
            catch (error) {
                if (error instanceof EndOfStream || error instanceof TransportClosed) {
                    return { done: true, value: undefined };
                }
                throw error;
            }
        },
    };
}
