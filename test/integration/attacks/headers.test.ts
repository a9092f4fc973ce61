// research rows HD over plain http.
import { plain } from '../../env/transport.ts';
import { useHarness } from './harness.ts';
import { gatewayDoor } from './rows/door.ts';
import { gatewayHeaderRows, socketHeaderRows } from './rows/gateway-headers.ts';
import { headerRows } from './rows/headers.ts';

const harness = useHarness();

headerRows(() => gatewayDoor(harness), plain);
gatewayHeaderRows(harness, plain);
socketHeaderRows(harness);
