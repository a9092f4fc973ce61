// A group of 10,000 members.
import { largeGroupCase } from '../../src/identity/scim/large-group.fixture.ts';

largeGroupCase(10_000);
